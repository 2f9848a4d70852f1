import type { LimitCheck } from './limits.ts';

/** What became of a take. */
export type LimitOutcome =
  | {
      readonly allowed: true;
      /** Names of the shadow limits that would have refused. */
      readonly exceededShadow: string[];
    }
  | {
      readonly allowed: false;
      /** The limit that refused; of several, the one to wait for longest. */
      readonly limit: LimitCheck;
      /** When it is worth asking again: true to a second. */
      readonly retryAfterMs: number;
    };

/** Counts credentials against limits, for one process or for all instances together. */
export interface Limiter {
  /**
   * Takes one from every counter, or says which limit refuses. Across all callers no more than `max` are ever allowed in
   * a window. Rejects with {@link LimiterError} when the counters are out of reach, and never hangs.
   */
  take(checks: readonly LimitCheck[], nowMs: number): Promise<LimitOutcome> | LimitOutcome;
}

/** The counters could not be asked. The cause is for the log only. */
export class LimiterError extends Error {
  override readonly name = 'LimiterError';
  readonly code = 'LIMITER_UNAVAILABLE';

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
  }
}
