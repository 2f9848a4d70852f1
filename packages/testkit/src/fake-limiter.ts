import {
  fullLimit,
  LimiterError,
  type LimitCheck,
  type Limiter,
  type LimitOutcome,
  type LimitReading,
} from '@callpass/domain';

/** Limiter in memory that passes the conformance tests of the port, and can be made unavailable. */
export class FakeLimiter implements Limiter {
  readonly #windows = new Map<string, { taken: number; endMs: number }>();
  #down = false;

  /** Makes all calls reject with `LIMITER_UNAVAILABLE` while `down`. */
  setDown(down: boolean): void {
    this.#down = down;
  }

  async take(checks: readonly LimitCheck[], nowMs: number): Promise<LimitOutcome> {
    const readings = this.#read(checks, nowMs);
    const full = fullLimit(readings);
    if (full) return { allowed: false, readings, limit: full.check, retryAfterMs: full.resetAfterMs };
    for (const { key, windowMs } of checks) {
      const { taken, endMs } = this.#window(key, nowMs) ?? { taken: 0, endMs: nowMs + windowMs };
      this.#windows.set(key, { taken: taken + 1, endMs });
    }
    return { allowed: true, readings: this.#read(checks, nowMs) };
  }

  async peek(checks: readonly LimitCheck[], nowMs: number): Promise<readonly LimitReading[]> {
    return this.#read(checks, nowMs);
  }

  #read(checks: readonly LimitCheck[], nowMs: number): LimitReading[] {
    if (this.#down) throw new LimiterError('the fake limiter is set to fail');
    return checks.map((check) => {
      const window = this.#window(check.key, nowMs);
      return { check, taken: window?.taken ?? 0, resetAfterMs: window ? window.endMs - nowMs : 0 };
    });
  }

  #window(key: string, nowMs: number): { taken: number; endMs: number } | undefined {
    const window = this.#windows.get(key);
    return window && nowMs < window.endMs ? window : undefined;
  }
}
