import type { Store } from '@callpass/domain';
import { PlaceCounter } from '../connections/peer-bounds.ts';
import { Refusal } from '../errors/refusal.ts';

/** Bounds on what the batches of validations of a server read. */
export interface ReadBounds {
  /** Reads under way at a time: together with those of single calls well below what the store takes, so that there is room for the state. */
  readonly most: number;
  /** Reads under way for one client. */
  readonly mostOfClient: number;
  /** Longest wait of a batch for its reads, in ms. Validations that need no store are not to wait longer for those that do. */
  readonly maxWaitMs: number;
}

const BOUNDS: ReadBounds = { most: 6000, mostOfClient: 3000, maxWaitMs: 1000 };
const TOO_LATE = 'the store did not answer in time for this request of the batch';

type ReadStore = Pick<Store, 'findIssued' | 'hasRemoved'>;

/** Parts of {@link BatchReads}. */
export interface BatchReadsParts {
  readonly store: ReadStore;
  /** Counts a batch of which something is refused because too much is read. */
  readonly onShed: () => void;
  /** Time after which to come back, in ms. */
  readonly retryAfterMs: () => number;
}

/**
 * Bounds the reads of batches of validations, since admission counts a batch as one call, whatever it holds. A read above a bound is refused
 * with OVERLOADED, one that a batch would wait for too long with STORE_UNAVAILABLE.
 */
export class BatchReads {
  readonly #parts: BatchReadsParts;
  readonly #maxWaitMs: number;
  readonly #places: PlaceCounter;

  constructor(parts: BatchReadsParts, bounds: ReadBounds = BOUNDS) {
    this.#parts = parts;
    this.#maxWaitMs = bounds.maxWaitMs;
    this.#places = new PlaceCounter({ max: bounds.most, maxPerPeer: bounds.mostOfClient });
  }

  /** Runs a batch of a client, with a store whose reads are bounded. */
  async within<T>(client: string, run: (store: ReadStore) => Promise<T>): Promise<T> {
    const { store, onShed, retryAfterMs } = this.#parts;
    const late = Promise.withResolvers<never>();
    late.promise.catch(() => undefined);
    const refuse = () =>
      late.reject(new Refusal('STORE_UNAVAILABLE', { message: TOO_LATE, retryAfterMs: retryAfterMs() }));
    const timer = setTimeout(refuse, this.#maxWaitMs);
    let isShed = false;
    const bounded = <A>(read: () => Promise<A>): Promise<A> => {
      if (this.#places.take(client) === undefined)
        return Promise.race([this.#untilRead(client, read), late.promise]);
      if (!isShed) onShed();
      isShed = true;
      return Promise.reject(new Refusal('OVERLOADED', { retryAfterMs: retryAfterMs() }));
    };
    try {
      return await run({
        findIssued: (query) => bounded(() => store.findIssued(query)),
        hasRemoved: (timeMs) => bounded(() => store.hasRemoved(timeMs)),
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #untilRead<A>(client: string, read: () => Promise<A>): Promise<A> {
    try {
      return await read();
    } finally {
      this.#places.leave(client);
    }
  }
}
