/**
 * Calls back for what has not ended after a fixed time. As that is the same for all, they run out in the order in which they
 * began: one timer is enough, and beginning and ending cost next to nothing.
 */
export class TimeLimit<T> {
  readonly #limitMs: number;
  readonly #onLate: (item: T) => void;
  readonly #nowMs: () => number;
  /** Time at which each runs out, in the order in which they began. */
  readonly #underWay = new Map<T, number>();
  #timer: NodeJS.Timeout | undefined;

  /** @param nowMs milliseconds of a monotonic clock. */
  constructor(limitMs: number, onLate: (item: T) => void, nowMs: () => number = () => performance.now()) {
    this.#limitMs = limitMs;
    this.#onLate = onLate;
    this.#nowMs = nowMs;
  }

  begin(item: T): void {
    this.#underWay.set(item, this.#nowMs() + this.#limitMs);
    if (this.#timer === undefined) this.#timer = this.#wakeIn(this.#limitMs);
  }

  end(item: T): void {
    this.#underWay.delete(item);
  }

  #wakeIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#look();
    }, ms).unref();
  }

  #look(): void {
    this.#timer = undefined;
    const nowMs = this.#nowMs();
    for (const [item, endsAtMs] of this.#underWay) {
      if (endsAtMs > nowMs) {
        this.#timer = this.#wakeIn(Math.ceil(endsAtMs - nowMs));
        return;
      }
      this.#underWay.delete(item);
      this.#onLate(item);
    }
  }
}
