import type { PlanBase, RealmInUse, RotationPlan } from './rotation-plan.ts';
import { sameRealm } from './same-realm.ts';
import { secondRealm } from './second-realm.ts';

/**
 * Plans the rotation of a realm's active key, both ways. `undefined` when no key is active, since then there is nothing to
 * rotate.
 */
export function planRotation(inUse: RealmInUse, newRealm: string): RotationPlan | undefined {
  const { keys, destinations, tokenLifetimeSeconds, maxClockSkewSeconds } = inUse;
  const active = keys.find(({ state }) => state === 'ACTIVE');
  if (!active) return undefined;
  const pending = keys.find(({ state }) => state === 'PENDING');
  const base: PlanBase = {
    ...inUse,
    activeVersion: active.version,
    nextVersion: pending?.version ?? 1 + Math.max(...keys.map(({ version }) => version)),
    validatesAfterRetirementSeconds: tokenLifetimeSeconds + maxClockSkewSeconds,
    accounts: [...new Set(destinations.map(({ account }) => account))],
  };
  return { ...base, ways: [sameRealm(base), secondRealm(base, newRealm)] };
}

/** A name that no realm has yet: the realm's with the next number behind it. */
export function nextRealmName(realm: string, taken: ReadonlySet<string>): string {
  const [, stem = realm, digits = '1'] = /^(.*?)-(\d{1,6})$/.exec(realm) ?? [];
  for (let number = Number(digits) + 1; ; number++) {
    const name = `${stem}-${number}`;
    if (!taken.has(name)) return name;
  }
}
