import type { Clock } from '@callpass/domain';

/** A clock that stands still until it is told otherwise. */
export class SteppingClock implements Clock {
  #nowMs: number;

  /** Starts at 2027-01-15T08:00:00Z unless told otherwise. */
  constructor(nowMs = 1_800_000_000_000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Goes on by so many milliseconds, or back by a negative number, as a real clock may. */
  step(byMs: number): void {
    this.#nowMs += byMs;
  }

  /** Goes to a time. */
  set(nowMs: number): void {
    this.#nowMs = nowMs;
  }
}
