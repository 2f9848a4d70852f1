import type { CommitEvent } from '@callpass/storage';

/** Failures in a row, with no success between, that are no accident. */
const FAILURES = 2;

/**
 * After this time without a further failure the ledger gets another chance: nobody can show that it is well unless asked.
 */
const DOUBT_MS = 10_000;

/** Health of the ledger's writes, from the commits of requests. */
export class LedgerHealth {
  readonly #nowMs: () => number;
  #failures = 0;
  #failedAtMs = -Infinity;

  /** `nowMs` gives milliseconds that only ever go on. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** True when the last commits failed or are overdue, and that not long ago. */
  get failing(): boolean {
    return this.#failures >= FAILURES && this.#nowMs() - this.#failedAtMs < DOUBT_MS;
  }

  /** Gives the ledger another chance now: what kept it from being written may be over. */
  forget(): void {
    this.#failures = 0;
  }

  /** Takes note of an event of the store. A full queue is load, not failure. */
  readonly note = (event: CommitEvent): void => {
    if (event.kind === 'committed') this.#failures = 0;
    else if (event.kind === 'commitFailed' || event.why === 'overdue') {
      this.#failures++;
      this.#failedAtMs = this.#nowMs();
    }
  };
}
