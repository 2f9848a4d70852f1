import type { Limit, LimitFallback } from '../realm/configuration.ts';
import type { CompiledDestination } from './rules.ts';

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

/**
 * The limits that apply to a request, in the destination's order.
 *
 * SUBJECT, CLIENT and DESTINATION count within the destination: two destinations never share their counters. REALM counts
 * over all destinations of the realm that have such a limit with this window, OVERALL over all destinations with one.
 * SUBJECT does not apply when no subject is named, nor REALM to unrestricted calls. The window is part of the key, the
 * number is not, so a raised limit keeps what was counted.
 */
export function limitKeys(compiled: CompiledDestination, subjects: LimitSubjects): LimitCheck[] {
  const checks: LimitCheck[] = [];
  compiled.destination.limits.forEach((limit, index) => {
    const counted = countedBy(limit, compiled, subjects);
    if (counted === undefined) return;
    checks.push({
      name: `limits[${index}] per ${limit.per}`,
      key: `${limit.per}/${limit.windowMs}${counted}`,
      max: limit.max,
      windowMs: limit.windowMs,
      shadow: limit.shadow,
      whenUnavailable: limit.whenUnavailable,
    });
  });
  return checks;
}

/** The contract keeps `/` out of destination ids, so no two counters have one key. */
function countedBy(limit: Limit, compiled: CompiledDestination, subjects: LimitSubjects): string | undefined {
  const { id, realm } = compiled.destination;
  switch (limit.per) {
    case 'SUBJECT':
      return subjects.subjectHash === '' ? undefined : `/${id}/${subjects.subjectHash}`;
    case 'CLIENT':
      return subjects.client === '' ? undefined : `/${id}/${subjects.client}`;
    case 'DESTINATION':
      return `/${id}`;
    case 'REALM':
      return realm === undefined ? undefined : `/${realm}`;
    case 'OVERALL':
      return '';
  }
}
