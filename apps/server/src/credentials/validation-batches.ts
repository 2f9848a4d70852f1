import { Refusal } from '../errors/refusal.ts';

/** Bounds of the batches of validations of a server. */
export interface ValidationBounds {
  /**
   * Validations of batches under way at a time. Each reads the store up to three times; together with those of single calls that has
   * to stay well below the reads that the store takes, so that there is room for the state.
   */
  readonly maxUnderWay: number;
  /** Longest wait of a batch for the store, in ms. Validations that need no store are not to wait longer for those that do. */
  readonly maxWaitMs: number;
}

const BOUNDS: ValidationBounds = { maxUnderWay: 2048, maxWaitMs: 1000 };
const RETRY_AFTER_MS = 1000;
const TOO_LATE = 'the store did not answer in time for this request of the batch';

/** Decides one request of a batch, within its bounds. */
export type WithinBounds = <A>(decide: () => Promise<A>) => Promise<A>;

/**
 * Bounds the batches of validations of a server. Admission counts a batch as one call, whatever it holds.
 *
 * A validation above the bound is refused with OVERLOADED, one that waits too long for the store with STORE_UNAVAILABLE: it reads
 * only, so nothing of it is lost.
 */
export class ValidationBatches {
  readonly #onShed: () => void;
  readonly #bounds: ValidationBounds;
  #underWay = 0;

  /** @param onShed counts a validation that is refused because too many are under way. */
  constructor(onShed: () => void, bounds: ValidationBounds = BOUNDS) {
    this.#onShed = onShed;
    this.#bounds = bounds;
  }

  /** Runs a batch, whose requests go through the function that `run` is given. */
  async within<T>(run: (bounded: WithinBounds) => Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    late.promise.catch(() => undefined);
    const timer = setTimeout(
      () =>
        late.reject(new Refusal('STORE_UNAVAILABLE', { message: TOO_LATE, retryAfterMs: RETRY_AFTER_MS })),
      this.#bounds.maxWaitMs,
    );
    try {
      return await run((decide) => Promise.race([this.#counted(decide), late.promise]));
    } finally {
      clearTimeout(timer);
    }
  }

  async #counted<A>(decide: () => Promise<A>): Promise<A> {
    if (this.#underWay >= this.#bounds.maxUnderWay) {
      this.#onShed();
      throw new Refusal('OVERLOADED', { retryAfterMs: RETRY_AFTER_MS });
    }
    this.#underWay++;
    try {
      return await decide();
    } finally {
      this.#underWay--;
    }
  }
}
