import type { LimitCheck, Limiter, LimitOutcome } from '@callpass/domain';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';

/** Counters know no maximum: each check compares for itself, so that a raised limit keeps what was counted. */
const UNBOUNDED = Number.MAX_SAFE_INTEGER;

interface Taken {
  readonly check: LimitCheck;
  readonly result: RateLimiterRes;
}

/** Limits for one process. They start anew with it. */
export class MemoryLimiter implements Limiter {
  readonly #counters = new RateLimiterMemory({ points: UNBOUNDED, duration: 1 });

  async take(checks: readonly LimitCheck[]): Promise<LimitOutcome> {
    const taken: Taken[] = await Promise.all(
      checks.map(async (check) => ({
        check,
        result: await this.#counters.consume(check.key, 1, { customDuration: check.windowMs / 1000 }),
      })),
    );
    const exceeded = taken.filter(({ check, result }) => result.consumedPoints > check.max);
    const enforced = exceeded.filter(({ check }) => !check.shadow);
    const longest = enforced.sort((a, b) => b.result.msBeforeNext - a.result.msBeforeNext)[0];
    if (!longest) return { allowed: true, exceededShadow: exceeded.map(({ check }) => check.name) };
    // What was refused does not count: give back to every counter.
    await Promise.all(checks.map((check) => this.#counters.reward(check.key, 1)));
    return { allowed: false, limit: longest.check, retryAfterMs: longest.result.msBeforeNext };
  }
}
