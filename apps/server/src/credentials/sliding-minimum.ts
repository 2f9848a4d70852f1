const SPAN_MS = 60_000;

/** The lowest of what was noted in the last one to two minutes, however often and by however many it is asked for. */
export class SlidingMinimum {
  #sinceMs = -Infinity;
  #current: number | undefined;
  #before: number | undefined;

  /** Notes a value. Times are of a monotonic clock. */
  note(value: number, nowMs: number): void {
    this.#turn(nowMs);
    if (this.#current === undefined || value < this.#current) this.#current = value;
  }

  /** The lowest, or `undefined` where nothing was noted for so long. */
  at(nowMs: number): number | undefined {
    this.#turn(nowMs);
    if (this.#current === undefined || this.#before === undefined) return this.#current ?? this.#before;
    return Math.min(this.#current, this.#before);
  }

  #turn(nowMs: number): void {
    const spans = Math.floor((nowMs - this.#sinceMs) / SPAN_MS);
    if (spans < 1) return;
    this.#before = spans === 1 ? this.#current : undefined;
    this.#current = undefined;
    this.#sinceMs = spans === 1 ? this.#sinceMs + SPAN_MS : nowMs;
  }
}
