import type { Destination, LimitFallback, LimitScope } from '../realm/configuration.ts';
import { limitGap, LIMIT_SCOPES, type LimitSubjects } from './limit-scopes.ts';

/** One counter to take from, and how much it allows. */
export interface LimitCheck {
  /** For people: which limit of the destination, for example `limits[0] per SUBJECT`. */
  readonly name: string;
  /** Names the counter, the same on every instance. Holds a subject's keyed hash, never a subject. */
  readonly key: string;
  readonly max: number;
  readonly windowMs: number;
  /** Counted and reported, never enforced. */
  readonly shadow: boolean;
  /** Treatment of the request while the counter is out of reach. */
  readonly whenUnavailable: LimitFallback;
}

/** A limit of a destination, prepared as far as it does not depend on the request. */
export interface CompiledLimit extends Omit<LimitCheck, 'key'> {
  /** The party that has a counter of its own; undefined where all requests share one. */
  readonly each: keyof LimitSubjects | undefined;
  /** The start of the keys of its counters; the whole key where all requests share one. */
  readonly keyStart: string;
}

/** Name of a limit as rule of a refusal: its place in the destination, and what it counts by. */
function limitName(index: number, per: LimitScope): string {
  return `limits[${index}] per ${per}`;
}

const LIMIT_NAME = / per ([A-Z]+)$/;

/** Reads the scope of a limit from its name; undefined for a text that names no limit. */
export function limitScopeOf(name: string): LimitScope | undefined {
  const [, scope = ''] = LIMIT_NAME.exec(name) ?? [];
  return Object.hasOwn(LIMIT_SCOPES, scope) ? (scope as LimitScope) : undefined;
}

/** Prepares a destination's limits, in their order. A limit that counts no request there is left out. */
export function compileLimits(destination: Destination): CompiledLimit[] {
  return destination.limits.flatMap((limit, index) => {
    const { per, max, windowMs, shadow, whenUnavailable } = limit;
    if (limitGap(per, destination)?.requests === 'ALL') return [];
    const { counter, each } = LIMIT_SCOPES[per];
    const keyStart = `${per}/${windowMs}${counter(destination)}`;
    return [{ each, keyStart, name: limitName(index, per), max, windowMs, shadow, whenUnavailable }];
  });
}

/**
 * The limits that apply to a request, in the destination's order. A limit per party does not apply where the request has no
 * such party. The window is part of a counter's key, the number is not, so a raised limit keeps what was counted.
 */
export function limitKeys(
  { limits }: { readonly limits: readonly CompiledLimit[] },
  subjects: LimitSubjects,
): LimitCheck[] {
  const checks: LimitCheck[] = [];
  for (const { each, keyStart, name, max, windowMs, shadow, whenUnavailable } of limits) {
    const who = each === undefined ? undefined : subjects[each];
    if (who === '') continue;
    const key = who === undefined ? keyStart : keyStart + who;
    checks.push({ name, key, max, windowMs, shadow, whenUnavailable });
  }
  return checks;
}
