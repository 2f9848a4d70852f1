import type { RealmKeyRecord, StoredState } from '@callpass/domain';
import { ok, problem, warning, type Finding } from '@callpass/program';

/** Looks at the keys of each realm: one that encrypts, not too old, and nothing left behind that could be erased. */
export function checkKeys(
  { keys }: Pick<StoredState, 'keys'>,
  realms: readonly string[],
  times: { readonly nowMs: number; readonly rotateAfterMs: number },
): readonly Finding[] {
  const findings = realms.flatMap((realm) =>
    checkRealm(
      realm,
      keys.filter((key) => key.realm === realm),
      times,
    ),
  );
  return findings.length > 0
    ? findings
    : [ok('keys', `${realms.length} realms, each with a key that is in date`)];
}

function checkRealm(
  realm: string,
  keys: readonly RealmKeyRecord[],
  { nowMs, rotateAfterMs }: { readonly nowMs: number; readonly rotateAfterMs: number },
): readonly Finding[] {
  const active = keys.find(({ state }) => state === 'ACTIVE');
  const findings: Finding[] = [];
  if (active === undefined)
    findings.push(
      problem(
        'keys',
        `realm ${realm} has no active key, so nothing can be issued for it`,
        `callpass key add ${realm}, type the key into the vendor's portal, callpass key activate ${realm} VERSION`,
      ),
    );
  else if (nowMs - (active.activateTimeMs ?? active.createTimeMs) > rotateAfterMs)
    findings.push(
      warning(
        'keys',
        `key ${active.version} of realm ${realm} has been in use for longer than keys.rotateAfter`,
        `callpass key plan ${realm} says how to rotate it`,
      ),
    );
  for (const { version, state, validateUntilMs } of keys) {
    if (state !== 'RETIRED' || validateUntilMs === undefined || validateUntilMs > nowMs) continue;
    findings.push(
      warning(
        'keys',
        `key ${version} of realm ${realm} is retired and validates nothing any more`,
        `callpass key destroy ${realm} ${version}`,
      ),
    );
  }
  return findings;
}
