import type { LimitCheck } from './limits.ts';

/** Reading of a counter. */
export interface LimitReading {
  readonly check: LimitCheck;
  /** Taken in the current window, with what was just taken; `undefined` while the counter is out of reach. */
  readonly taken: number | undefined;
  /** Milliseconds until the window ends and the counter starts anew; 0 where nothing is counted. */
  readonly resetAfterMs: number;
}

/** Outcome of a take. */
export type LimitOutcome =
  | {
      readonly allowed: true;
      /** One for each check, in their order. */
      readonly readings: readonly LimitReading[];
    }
  | {
      readonly allowed: false;
      readonly readings: readonly LimitReading[];
      /** The limit that refused; of several, the one to wait for longest. */
      readonly limit: LimitCheck;
      /** Milliseconds after which it is worth asking again, accurate to a second. */
      readonly retryAfterMs: number;
    };

/**
 * Counts credentials against limits, for one process or for all instances together.
 *
 * A window begins with the first that is taken and ends `windowMs` later. Taking is all or nothing: where one limit that is
 * enforced is full, nothing is counted anywhere, so across all callers exactly `max` are granted in a window if enough are
 * asked for. Shadow limits count what was granted, beyond their `max` too.
 *
 * Both methods reject with {@link LimiterError} when the counters are out of reach, and never hang. `nowMs` is the time for
 * counters of this process; counters that are shared go by the time of where they are kept.
 */
export interface Limiter {
  /** Takes one from every counter, or says which limit refuses. */
  take(checks: readonly LimitCheck[], nowMs: number): Promise<LimitOutcome> | LimitOutcome;

  /** Reads every counter and changes none. */
  peek(
    checks: readonly LimitCheck[],
    nowMs: number,
  ): Promise<readonly LimitReading[]> | readonly LimitReading[];
}

/** The counters could not be asked. The cause is for the log only. */
export class LimiterError extends Error {
  override readonly name = 'LimiterError';
  readonly code = 'LIMITER_UNAVAILABLE';

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
  }
}

/** Of counters as they stand, the enforced one that is full; of several, the one to wait for longest. */
export function fullLimit(readings: readonly LimitReading[]): LimitReading | undefined {
  let longest: LimitReading | undefined;
  for (const reading of readings) {
    if (reading.check.shadow || (reading.taken ?? 0) < reading.check.max) continue;
    if (!longest || reading.resetAfterMs > longest.resetAfterMs) longest = reading;
  }
  return longest;
}

/** Of limits that cannot be counted, the first that refuses then. A shadow limit never does. */
export function refusingUncounted(checks: readonly LimitCheck[]): LimitCheck | undefined {
  return checks.find(({ shadow, whenUnavailable }) => !shadow && whenUnavailable === 'REFUSE');
}

/** The readings of counters that are out of reach. */
export function uncounted(checks: readonly LimitCheck[]): LimitReading[] {
  return checks.map((check) => ({ check, taken: undefined, resetAfterMs: 0 }));
}
