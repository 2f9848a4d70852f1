import type { Destination, Limit, LimitFallback } from '../realm/configuration.ts';

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
  /** What becomes of the request while the counter is out of reach. */
  readonly whenUnavailable: LimitFallback;
}

/** Who asks, as far as limits care. */
export interface LimitSubjects {
  /** Empty where it is asked for nobody in particular: then no limit per CLIENT applies. */
  readonly client: string;
  /** The subject's keyed hash; empty when no subject is named. */
  readonly subjectHash: string;
}

/** A limit of a destination with all that does not hang on who asks. */
export interface CompiledLimit extends Omit<LimitCheck, 'key'> {
  readonly per: Limit['per'];
  /** What the keys of its counters begin with; the whole key where it counts everybody together. */
  readonly keyStart: string;
}

/** Prepares a destination's limits, in their order. A limit per REALM without a realm applies to nothing and is left out. */
export function compileLimits({ id, realm, limits }: Destination): CompiledLimit[] {
  return limits.flatMap((limit, index) => {
    const counted = countedBy(limit.per, id, realm);
    if (counted === undefined) return [];
    const { per, max, windowMs, shadow, whenUnavailable } = limit;
    const keyStart = `${per}/${windowMs}${counted}`;
    return [{ per, keyStart, name: `limits[${index}] per ${per}`, max, windowMs, shadow, whenUnavailable }];
  });
}

/**
 * The limits that apply to a request, in the destination's order.
 *
 * SUBJECT, CLIENT and DESTINATION count within the destination: two destinations never share their counters. REALM counts
 * over all destinations of the realm that have such a limit with this window, OVERALL over all destinations with one.
 * SUBJECT does not apply when no subject is named, nor REALM to unrestricted calls. The window is part of the key, the
 * number is not, so a raised limit keeps what was counted.
 */
export function limitKeys(
  { limits }: { readonly limits: readonly CompiledLimit[] },
  subjects: LimitSubjects,
): LimitCheck[] {
  const checks: LimitCheck[] = [];
  for (const { per, keyStart, name, max, windowMs, shadow, whenUnavailable } of limits) {
    const who = per === 'SUBJECT' ? subjects.subjectHash : per === 'CLIENT' ? subjects.client : undefined;
    if (who === '') continue;
    const key = who === undefined ? keyStart : keyStart + who;
    checks.push({ name, key, max, windowMs, shadow, whenUnavailable });
  }
  return checks;
}

/** The contract keeps `/` out of destination ids, so no two counters have one key. */
function countedBy(per: Limit['per'], id: string, realm: string | undefined): string | undefined {
  switch (per) {
    case 'SUBJECT':
    case 'CLIENT':
      return `/${id}/`;
    case 'DESTINATION':
      return `/${id}`;
    case 'REALM':
      return realm === undefined ? undefined : `/${realm}`;
    case 'OVERALL':
      return '';
  }
}
