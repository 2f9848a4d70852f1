import { OUTAGE_LOOKS } from './health-of.ts';

/** Asks something at each look, one question at a time, and counts the looks in a row that stayed without an answer. */
export class Probe {
  readonly #ask: () => unknown;
  #misses = Infinity;
  #open: { missed: number } | undefined;

  constructor(ask: () => unknown) {
    this.#ask = ask;
  }

  /** Looks in a row without an answer; `Infinity` before the first answer. */
  get misses(): number {
    return this.#misses;
  }

  /**
   * Asks, unless the last question is still open: that is a miss of its own. Resolves with the answer or the failure,
   * at once where nothing was asked; never rejects.
   */
  async look(): Promise<void> {
    if (this.#open) {
      this.#open.missed++;
      this.#misses++;
      return;
    }
    const question = { missed: 0 };
    this.#open = question;
    try {
      await this.#ask();
      // What answers so late would not answer in time for a caller either: the next question decides.
      if (question.missed < OUTAGE_LOOKS) this.#misses = 0;
    } catch {
      this.#misses++;
    } finally {
      this.#open = undefined;
    }
  }
}
