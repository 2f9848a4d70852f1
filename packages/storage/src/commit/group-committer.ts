import { StoreError } from '@callpass/domain';

/** Event of the committer, for logs and metrics. */
export type CommitEvent =
  | {
      readonly kind: 'committed';
      /** Records in the commit. */
      readonly size: number;
      readonly durationMs: number;
      /** Records that wait for the next one. */
      readonly queued: number;
    }
  | {
      readonly kind: 'commitFailed';
      readonly size: number;
      readonly durationMs: number;
      readonly cause: unknown;
    }
  /** A record was refused without being tried: `full` queue, a commit that is `overdue`, or `closed`. */
  | { readonly kind: 'refused'; readonly why: 'full' | 'overdue' | 'closed' };

/** Limits and the commit itself. */
export interface GroupCommitterOptions<Item, Outcome> {
  /**
   * Writes the items, all or none, in their order, and gives the outcomes in that order. Must settle some day. It is called
   * again before it has settled, and must write in the order of the calls.
   */
  readonly commit: (items: readonly Item[], remainingMs: number) => Promise<readonly Outcome[]>;
  readonly limitMs: number;
  readonly maxQueued: number;
  readonly maxBatch: number;
  readonly onEvent: (event: CommitEvent) => void;
  /** Told of the items of a commit, in the list that `commit` was given, just before their callers are. */
  readonly onSettled?: (items: readonly Item[], commit: SettledCommit) => void;
}

/** A commit that has settled, or that has kept its callers waiting for too long. */
export interface SettledCommit {
  readonly outcome: 'committed' | 'failed' | 'overdue';
  /** On the clock of `performance.now()`. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly queued: number;
}

/**
 * Number of records that are enough for a commit of their own; twice as many for each that is under way. Without it a burst of requests
 * that arrived at once would all be worked off first, and then all wait together for one commit while this thread has nothing
 * to do. Doubled, because many small ones on a slow disk would be the end of sharing.
 */
const EAGER_BATCH = 48;

interface Running<Item, Outcome> {
  readonly batch: readonly Waiting<Item, Outcome>[];
  readonly items: readonly Item[];
  /** Start of its turn, on the clock of `performance.now()`: the wait for those before it is not its own. */
  startedAtMs: number;
}

interface Waiting<Item, Outcome> {
  readonly item: Item;
  readonly sinceMs: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: StoreError) => void;
}

/**
 * Gathers what is to be written while a commit runs and writes it with the next one, so that a disk sync is shared by
 * all that wait for it. In the order of the calls, and few commits at a time: one and, while a burst is worked off, what has
 * become enough for the next.
 *
 * Nobody waits longer than the limit: what is overdue is refused with `LEDGER_UNAVAILABLE` and may or may not have been
 * written. While a commit is overdue, everything else is refused at once, until it has settled. From then on one item at a
 * time finds out if commits succeed again; until one does, all others are refused at once, and do not wait for the limit too.
 */
export class GroupCommitter<Item, Outcome> {
  readonly #options: GroupCommitterOptions<Item, Outcome>;
  #queue: Waiting<Item, Outcome>[] = [];
  /** The oldest first. */
  #running: readonly Running<Item, Outcome>[] = [];
  #overdue = false;
  /** The last commits were overdue, and none has succeeded since. */
  #doubtful = false;
  #closed = false;
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;

  constructor(options: GroupCommitterOptions<Item, Outcome>) {
    this.#options = options;
  }

  /** Resolves with the outcome once the item is on disk. Rejects with `LEDGER_UNAVAILABLE` within the limit. */
  add(item: Item): Promise<Outcome> {
    const why = this.#refusal();
    if (why !== undefined) {
      this.#options.onEvent({ kind: 'refused', why });
      return Promise.reject(unavailable(REFUSALS[why]));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, sinceMs: performance.now(), resolve, reject });
      this.#timer ??= setTimeout(this.#expire, this.#options.limitMs);
      if (this.#isEnough()) this.#commitNext();
      else if (this.#running.length === 0 && !this.#scheduled) {
        this.#scheduled = true;
        setImmediate(this.#endTurn);
      }
    });
  }

  /** Takes nothing more and resolves when everything that was taken has been settled. */
  close(): Promise<void> {
    this.#closed = true;
    if (!this.#isBusy()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  /** Items that wait for a commit or are in it. */
  get waiting(): number {
    return this.#running.reduce((sum, { batch }) => sum + batch.length, this.#queue.length);
  }

  #refusal(): keyof typeof REFUSALS | undefined {
    if (this.#closed) return 'closed';
    if (this.#overdue || (this.#doubtful && this.#isBusy())) return 'overdue';
    return this.#queue.length >= this.#options.maxQueued ? 'full' : undefined;
  }

  #isBusy(): boolean {
    return this.#running.length > 0 || this.#queue.length > 0;
  }

  /** Tells whether what waits is worth a commit beside those under way. */
  #isEnough(): boolean {
    const least = EAGER_BATCH * 2 ** this.#running.length;
    return least <= this.#options.maxBatch && this.#queue.length >= least;
  }

  readonly #endTurn = (): void => {
    this.#scheduled = false;
    if (this.#running.length === 0 && this.#queue.length > 0) this.#commitNext();
  };

  /** Something must wait. */
  #commitNext(): void {
    const batch = this.#queue.splice(0, this.#options.maxBatch);
    const items = batch.map(({ item }) => item);
    const nowMs = performance.now();
    const running: Running<Item, Outcome> = { batch, items, startedAtMs: nowMs };
    this.#running = [...this.#running, running];
    // When the oldest that is under way is overdue, these are refused as well, and must not be written after that.
    const oldest = this.#running[0]?.batch[0] as Waiting<Item, Outcome>;
    this.#options.commit(items, this.#options.limitMs - (nowMs - oldest.sinceMs)).then(
      (outcomes) => {
        const durationMs = performance.now() - running.startedAtMs;
        this.#doubtful = false;
        this.#tell(running, 'committed');
        batch.forEach((waiting, index) => waiting.resolve(outcomes[index] as Outcome));
        const queued = this.#queue.length;
        this.#options.onEvent({ kind: 'committed', size: batch.length, durationMs, queued });
        this.#settled(running);
      },
      (cause: unknown) => {
        const durationMs = performance.now() - running.startedAtMs;
        const error = asRefusal(cause);
        this.#tell(running, 'failed');
        for (const waiting of batch) waiting.reject(error);
        this.#options.onEvent({ kind: 'commitFailed', size: batch.length, durationMs, cause });
        this.#settled(running);
      },
    );
  }

  #tell({ items, startedAtMs }: Running<Item, Outcome>, outcome: SettledCommit['outcome']): void {
    // Those of an overdue commit were told when it became that.
    if (this.#overdue || this.#options.onSettled === undefined) return;
    const durationMs = performance.now() - startedAtMs;
    this.#options.onSettled(items, { outcome, startedAtMs, durationMs, queued: this.#queue.length });
  }

  #settled(settled: Running<Item, Outcome>): void {
    this.#running = this.#running.filter((running) => running !== settled);
    const [next] = this.#running;
    if (next !== undefined) {
      next.startedAtMs = performance.now();
      if (this.#isEnough()) this.#commitNext();
      return;
    }
    this.#overdue = false;
    if (this.#queue.length > 0) {
      this.#commitNext();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#idle?.();
  }

  readonly #expire = (): void => {
    const nowMs = performance.now();
    const inFlight = this.#running[0]?.batch[0];
    if (inFlight !== undefined && !this.#overdue && this.#isExpired(inFlight, nowMs)) {
      for (const running of this.#running) this.#tell(running, 'overdue');
      this.#overdue = true;
      this.#doubtful = true;
      const error = unavailable('the commit is overdue');
      for (const { batch } of this.#running) for (const waiting of batch) waiting.reject(error);
      for (const waiting of this.#queue.splice(0)) waiting.reject(error);
    }
    const oldest = this.#overdue ? undefined : (inFlight ?? this.#queue[0]);
    this.#timer =
      oldest && setTimeout(this.#expire, Math.max(1, this.#options.limitMs - (nowMs - oldest.sinceMs)));
  };

  #isExpired(waiting: Waiting<Item, Outcome>, nowMs: number): boolean {
    return nowMs - waiting.sinceMs >= this.#options.limitMs;
  }
}

const REFUSALS = {
  full: 'too many entries wait to be written',
  overdue: 'an earlier entry is still being written',
  closed: 'the store is closed',
} as const;

function unavailable(message: string, cause?: unknown): StoreError {
  return new StoreError('LEDGER_UNAVAILABLE', message, cause === undefined ? undefined : { cause });
}

/** A commit that did not come back is a ledger that could not write, whatever the database said. */
function asRefusal(cause: unknown): StoreError {
  return cause instanceof StoreError && cause.code !== 'STORE_UNAVAILABLE'
    ? cause
    : unavailable('the entry could not be written', cause);
}
