import type { Clock } from '@callpass/domain';

/** Clock that only moves when a test moves it. */
export class SteppingClock implements Clock {
  #nowMs: number;

  /** Sets the start. Default: 2027-01-15T08:00:00Z. */
  constructor(nowMs = 1_800_000_000_000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Moves the clock by milliseconds, back if they are negative. */
  step(byMs: number): void {
    this.#nowMs += byMs;
  }

  /** Sets the time. */
  set(nowMs: number): void {
    this.#nowMs = nowMs;
  }
}
