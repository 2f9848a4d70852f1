/** Time without an answer, while a call waits for one, after which an instance counts as silent. Below the delay of a hedge. */
export const SILENT_AFTER_MS = 200;

/** Pause before the first call that tries a silent instance again; each further pause is twice as long, up to the cap. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 8_000;

/**
 * Silence of one instance: whether calls to it wait and nothing comes back. A refusal is an answer. An instance that hangs
 * keeps its connection open, so only this shows. A silent one gets one call after each pause until it answers one.
 *
 * Times are milliseconds of a monotonic clock.
 */
export class InstanceSilence {
  #open = 0;
  /** Time since which calls wait without any answer. */
  #waitingSinceMs: number | undefined;
  #pauseMs = 0;
  /** Time at which a silent instance is tried again; `undefined` while it is not silent. */
  #tryAtMs: number | undefined;

  /** Tells whether a call should go there now. After `true` for a silent instance, others are refused for the next pause. */
  takes(nowMs: number): boolean {
    if (this.#tryAtMs === undefined) {
      if (this.#waitingSinceMs === undefined || nowMs - this.#waitingSinceMs < SILENT_AFTER_MS) return true;
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#tryAtMs = nowMs + this.#pauseMs;
      return false;
    }
    if (nowMs < this.#tryAtMs) return false;
    this.#pauseMs = Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
    this.#tryAtMs = nowMs + this.#pauseMs;
    return true;
  }

  /** Notes that a call was sent there. */
  started(nowMs: number): void {
    this.#open++;
    this.#waitingSinceMs ??= nowMs;
  }

  /** Notes that a call ended by an answer, or because the connection did, which says the rest itself. */
  answered(nowMs: number): void {
    this.#open--;
    this.#waitingSinceMs = this.#open > 0 ? nowMs : undefined;
    this.#tryAtMs = undefined;
  }

  /** Notes that a call was given up. One given up at once says nothing. */
  givenUp(nowMs: number): void {
    this.#open--;
    const sinceMs = this.#waitingSinceMs;
    if (this.#open === 0 && sinceMs !== undefined && nowMs - sinceMs < SILENT_AFTER_MS)
      this.#waitingSinceMs = undefined;
  }
}
