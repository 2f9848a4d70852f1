/** Something that may not take longer than all of its kind. */
export interface Limited {
  readonly endsAtMs: number;
  readonly onLate: () => void;
}

/**
 * Calls back for what has not ended after a fixed time. As that is the same for all, they run out in the order in which they
 * began: one timer is enough, and beginning and ending cost next to nothing.
 */
export class TimeLimit {
  readonly #limitMs: number;
  readonly #nowMs: () => number;
  /** In the order in which they began. */
  readonly #underWay = new Set<Limited>();
  #timer: NodeJS.Timeout | undefined;

  /** `nowMs`: milliseconds of a monotonic clock. */
  constructor(limitMs: number, nowMs: () => number = () => performance.now()) {
    this.#limitMs = limitMs;
    this.#nowMs = nowMs;
  }

  begin(onLate: () => void): Limited {
    const limited = { endsAtMs: this.#nowMs() + this.#limitMs, onLate };
    this.#underWay.add(limited);
    if (this.#timer === undefined) this.#timer = this.#wakeIn(this.#limitMs);
    return limited;
  }

  end(limited: Limited): void {
    this.#underWay.delete(limited);
  }

  #wakeIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#look();
    }, ms).unref();
  }

  #look(): void {
    this.#timer = undefined;
    const nowMs = this.#nowMs();
    for (const limited of this.#underWay) {
      if (limited.endsAtMs > nowMs) {
        this.#timer = this.#wakeIn(Math.ceil(limited.endsAtMs - nowMs));
        return;
      }
      this.#underWay.delete(limited);
      limited.onLate();
    }
  }
}
