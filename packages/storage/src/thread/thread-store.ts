import { StoreError } from '@callpass/domain';
import type {
  ChainRecord,
  EntryDraft,
  EntryQuery,
  IssuedStep,
  IssuedStepQuery,
  LedgerEntry,
  PositionedEntry,
  RecordOptions,
  RecordOutcome,
  ReplayPlan,
  ReplayStep,
  RevisionRecord,
  SharedCommit,
  Store,
  StoredRevision,
  StoredState,
  StoreTimes,
} from '@callpass/domain';
import type { StateRecord } from '@callpass/ledger';
import { GroupCommitter, type CommitEvent } from '../commit/group-committer.ts';
import type { ItemOutcome } from '../database/changes.ts';
import type { RemovalStep } from '../database/removal.ts';
import type { StoreLimits } from '../limits.ts';
import { assertRecordable, batchBytes, encodeBatch, monotonicMs, type RecordItem } from './batch-codec.ts';
import { decodeEntries } from './entry-codec.ts';
import type { ThreadCalls, ThreadMethod } from './messages.ts';
import { ReadGate } from './read-gate.ts';
import type { ThreadLink } from './thread-link.ts';

/** One connection, and no reserve: that of the store is enough. */
const READER_LIMITS = { reserveBytes: 0, connections: 1 };

/** Much of what is read dies at once. One that holds more than this ends, and not the server. */
const READER_MEMORY = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 256 };

const RECORDED: RecordOutcome = { outcome: 'recorded' };

/** The store as the service sees it: everything but waiting is done by the thread. */
export class ThreadStore implements Store {
  readonly ledgerSecret: Uint8Array;
  readonly onStateChanged: Store['onStateChanged'];
  readonly #link: ThreadLink;
  readonly #limits: StoreLimits;
  readonly #committer: GroupCommitter<RecordItem, ItemOutcome>;
  readonly #gate = new ReadGate();
  /** Threads that only read, each for one long read. */
  readonly #readers = new Set<ThreadLink>();
  #closing: Promise<void> | undefined;

  constructor(parts: {
    link: ThreadLink;
    ledgerSecret: Uint8Array;
    limits: StoreLimits;
    /** Set where other instances announce their changes. */
    announces: boolean;
    onEvent: (event: CommitEvent) => void;
  }) {
    this.ledgerSecret = parts.ledgerSecret;
    this.onStateChanged = parts.announces ? (listener) => parts.link.onStateChanged(listener) : undefined;
    this.#link = parts.link;
    this.#limits = parts.limits;
    const bytesOf = new WeakMap<readonly RecordItem[], number>();
    this.#committer = new GroupCommitter({
      commit: (items, remainingMs) => {
        const batch = encodeBatch(items, monotonicMs() + remainingMs);
        if (items.some((item) => item.onCommit !== undefined)) bytesOf.set(items, batchBytes(batch));
        return this.#link.call('commit', batch);
      },
      onSettled: (items, settled) => {
        const bytes = bytesOf.get(items);
        if (bytes === undefined) return;
        const commit: SharedCommit = { ...settled, size: items.length, bytes };
        for (const { onCommit } of items) onCommit?.(commit);
      },
      limitMs: parts.limits.recordMs,
      maxQueued: parts.limits.maxQueued,
      maxBatch: parts.limits.maxBatch,
      onEvent: parts.onEvent,
    });
  }

  get queuedEntries(): number {
    return this.#committer.waiting;
  }

  stateVersion(): Promise<number> {
    return this.#read('stateVersion', undefined);
  }

  loadState(): Promise<StoredState> {
    return this.#read('loadState', undefined);
  }

  checkState(): Promise<void> {
    return this.#read('checkState', undefined);
  }

  readStateRecord(): Promise<StateRecord> {
    return this.#read('readStateRecord', undefined);
  }

  getRevision(revision: number): Promise<StoredRevision | undefined> {
    return this.#read('getRevision', revision);
  }

  listRevisions(page: { beforeRevision: number; limit: number }): Promise<readonly RevisionRecord[]> {
    return this.#read('listRevisions', page);
  }

  async record(entry: EntryDraft, options?: RecordOptions): Promise<RecordOutcome> {
    const outcome = await this.#commit({
      entry,
      change: options?.change,
      tokens: options?.tokens,
      onCommit: options?.onCommit,
    });
    // The mark of a change is the ledger's.
    return outcome.outcome === 'recorded' ? RECORDED : outcome;
  }

  async listEntries(query: EntryQuery): Promise<readonly PositionedEntry[]> {
    // The thread gives up first, and says why.
    const deadlineMs = monotonicMs() + 0.9 * this.#limits.readMs;
    const { positions, entries } = await this.#read('listEntries', { query, deadlineMs });
    return decodeEntries(entries).map((entry, index) => ({ position: positions[index] as number, entry }));
  }

  countIssued(query: IssuedStepQuery): Promise<IssuedStep> {
    return this.#read('countIssued', query);
  }

  async *replay(plan: ReplayPlan): AsyncGenerator<ReplayStep, void> {
    if (this.#closing !== undefined) throw unavailable('the store is closed');
    const link = await this.#link.another(READER_LIMITS, READER_MEMORY);
    this.#readers.add(link);
    try {
      // `close` has not seen a thread that was started meanwhile.
      if (this.#closing !== undefined) throw unavailable('the store is closed');
      let step = await link.call('replay', plan);
      yield step;
      while (step.report === undefined) {
        step = await link.call('replay', undefined);
        yield step;
      }
    } finally {
      this.#readers.delete(link);
      await link.close(this.#limits.readMs);
    }
  }

  listChains(): Promise<readonly ChainRecord[]> {
    return this.#read('listChains', undefined);
  }

  async readChain(page: {
    writerId: string;
    afterSequence: number;
    limit: number;
  }): Promise<readonly LedgerEntry[]> {
    return decodeEntries(await this.#read('readChain', page));
  }

  async removeEntries({ beforeTimeMs, entry }: { beforeTimeMs: number; entry: EntryDraft }): Promise<number> {
    const change = { kind: 'removeEntries', beforeTimeMs } as const;
    const outcome = await this.#commit({ entry, change, tokens: undefined });
    let step: RemovalStep | undefined = 'removal' in outcome ? outcome.removal : undefined;
    let count = step?.removed ?? 0;
    while (step?.nextChain !== undefined) {
      step = await this.#read('removeStep', { beforeTimeMs, fromChain: step.nextChain });
      count += step.removed;
    }
    while (await this.#read('giveBack', undefined));
    return count;
  }

  findIssued(query: { realm: string; timeMs: number }): Promise<readonly LedgerEntry[]> {
    return this.#read('findIssued', query);
  }

  hasRemoved(timeMs: number): Promise<boolean> {
    return this.#read('hasRemoved', timeMs);
  }

  findAnswer(query: {
    client: string;
    requestId: string;
    nowMs: number;
  }): Promise<{ bodyHash: Uint8Array; answer: Uint8Array } | undefined> {
    return this.#read('findAnswer', query);
  }

  readTimes(afterMs: number): Promise<StoreTimes> {
    return this.#read('readTimes', afterMs);
  }

  async probe(): Promise<void> {
    await this.#read('probe', undefined);
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #commit(item: RecordItem): Promise<Exclude<ItemOutcome, { outcome: 'failed' }>> {
    assertRecordable(item);
    const outcome = await this.#committer.add(item);
    if (outcome.outcome !== 'failed') return outcome;
    throw new StoreError(outcome.code, 'the change could not be made', { cause: new Error(outcome.cause) });
  }

  async #finish(): Promise<void> {
    // A commit that is stuck must not keep the process: its callers were refused, and the thread is killed below.
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#limits.recordMs);
    });
    await Promise.race([this.#committer.close(), limit]);
    clearTimeout(timer);
    const links = [...this.#readers, this.#link];
    await Promise.all(links.map((link) => link.close(this.#limits.readMs)));
    this.ledgerSecret.fill(0);
  }

  #read<M extends ThreadMethod>(
    method: M,
    argument: Parameters<ThreadCalls[M]>[0],
  ): Promise<Awaited<ReturnType<ThreadCalls[M]>>> {
    if (this.#closing !== undefined) return Promise.reject(unavailable('the store is closed'));
    if (this.#link.busy >= this.#limits.maxReads) {
      return Promise.reject(unavailable('too many reads are waiting for the store'));
    }
    const read = this.#gate.pass();
    if (read === undefined) return Promise.reject(unavailable('the store does not answer'));
    return new Promise((resolve, reject) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        this.#gate.timedOut(read);
        reject(unavailable('the store did not answer in time'));
      }, this.#limits.readMs);
      this.#link.call(method, argument).then(
        (value) => {
          clearTimeout(timer);
          this.#gate.answered();
          resolve(value);
        },
        (error: unknown) => {
          clearTimeout(timer);
          // A late failure is the database's own time limit, and no sign of life.
          if (!late) this.#gate.answered();
          reject(error instanceof StoreError ? error : unavailable('the store did not answer'));
        },
      );
    });
  }
}

function unavailable(message: string): StoreError {
  return new StoreError('STORE_UNAVAILABLE', message);
}
