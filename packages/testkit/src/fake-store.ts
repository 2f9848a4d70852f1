import { randomUUID } from 'node:crypto';
import {
  KeyedHash,
  linkEntry,
  newChain,
  StoreError,
  type ChainHead,
  type ChainRecord,
  type EntryDraft,
  type EntryQuery,
  type IssuedTokens,
  type LedgerEntry,
  type PositionedEntry,
  type RecordOptions,
  type RecordOutcome,
  type RevisionRecord,
  type Store,
  type StoredRevision,
  type StoredState,
} from '@callpass/domain';
import { FakeDatabase } from './fake-database.ts';

/**
 * A store in memory that holds to the port like the real ones, and fails when it is told to. Stores that are given the
 * same database stand for several instances.
 */
export class FakeStore implements Store {
  readonly ledgerSecret: Uint8Array;
  readonly database: FakeDatabase;
  readonly #keyedHash: KeyedHash;
  #head: ChainHead = newChain(randomUUID());
  #recordFaults: ('fail' | 'hang')[] = [];
  #down = false;
  #closed = false;
  #release: (() => void)[] = [];

  constructor(database: FakeDatabase = new FakeDatabase()) {
    this.database = database;
    this.ledgerSecret = Uint8Array.from(database.ledgerSecret);
    this.#keyedHash = new KeyedHash(database.ledgerSecret);
  }

  /** Everything in the ledger, in the order of writing. */
  get entries(): readonly LedgerEntry[] {
    return this.database.ledger.entries;
  }

  /** The next `record` rejects with `LEDGER_UNAVAILABLE` and writes nothing. */
  failNextRecord(): void {
    this.#recordFaults.push('fail');
  }

  /** The next `record` waits until the function that is given back is called, then writes as usual. */
  hangNextRecord(): () => void {
    this.#recordFaults.push('hang');
    return () => this.#release.shift()?.();
  }

  /** While down, everything rejects: `record` with `LEDGER_UNAVAILABLE`, all else with `STORE_UNAVAILABLE`. */
  setDown(down: boolean): void {
    this.#down = down;
  }

  async stateVersion(): Promise<number> {
    return this.#open().version;
  }

  async loadState(): Promise<StoredState> {
    const { version, revisions, keys, freezes } = this.#open();
    const copies = keys.map((key) => ({ ...key, keyText: key.keyText && Uint8Array.from(key.keyText) }));
    return { version, revision: revisions.at(-1), keys: copies, freezes };
  }

  async getRevision(revision: number): Promise<StoredRevision | undefined> {
    return this.#open().revisions[revision - 1];
  }

  async listRevisions(page: { beforeRevision: number; limit: number }): Promise<readonly RevisionRecord[]> {
    return this.#open()
      .revisions.filter(({ revision }) => page.beforeRevision === 0 || revision < page.beforeRevision)
      .map(({ revision, applyTimeMs, appliedBy }) => ({ revision, applyTimeMs, appliedBy }))
      .reverse()
      .slice(0, page.limit);
  }

  async record(entry: EntryDraft, { change, tokens, subject }: RecordOptions = {}): Promise<RecordOutcome> {
    const fault = this.#recordFaults.shift();
    if (fault === 'hang') await new Promise<void>((resolve) => this.#release.push(resolve));
    if (fault === 'fail' || this.#down || this.#closed) {
      throw new StoreError('LEDGER_UNAVAILABLE', 'the fake ledger was told to fail');
    }
    const head = linkEntry(
      this.#head,
      this.#hashed(tokens ? this.#fingerprinted(entry, tokens) : entry, subject),
    );
    const outcome: RecordOutcome = change ? this.database.change(change) : { outcome: 'recorded' };
    if (outcome.outcome === 'recorded') {
      this.#head = head;
      this.database.ledger.append(head);
    }
    return outcome;
  }

  async findIssued({ realm, timeMs }: { realm: string; timeMs: number }): Promise<readonly LedgerEntry[]> {
    return this.#open().ledger.entries.filter(
      (entry) => entry.kind === 'ISSUED' && entry.timeMs === timeMs && entry.realm === realm,
    );
  }

  async findAnswer(query: {
    client: string;
    requestId: string;
    nowMs: number;
  }): Promise<{ bodyHash: Uint8Array; answer: Uint8Array } | undefined> {
    const found = this.#open().answer(query);
    return found && { bodyHash: found.bodyHash, answer: found.answer };
  }

  async listEntries(query: EntryQuery): Promise<readonly PositionedEntry[]> {
    return this.#open().ledger.list(query);
  }

  async listChains(): Promise<readonly ChainRecord[]> {
    return this.#open().ledger.chains;
  }

  async readChain(page: {
    writerId: string;
    afterSequence: number;
    limit: number;
  }): Promise<readonly LedgerEntry[]> {
    return this.#open().ledger.read(page);
  }

  async removeEntries({ beforeTimeMs, entry }: { beforeTimeMs: number; entry: EntryDraft }): Promise<number> {
    const { ledger } = this.#open();
    const anchors = ledger.anchorsBefore(beforeTimeMs);
    await this.record(entry);
    return ledger.moveAnchors(anchors);
  }

  async probe(): Promise<void> {
    this.#open();
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #hashed(entry: EntryDraft, subject: string | undefined): EntryDraft {
    if (subject === undefined) return entry;
    if (entry.subjectHash !== '') throw new TypeError('an entry has a subject or its hash, not both');
    return { ...entry, subjectHash: this.#keyedHash.subject(subject) };
  }

  #fingerprinted(entry: EntryDraft, tokens: IssuedTokens): EntryDraft {
    if (entry.fingerprints !== undefined)
      throw new TypeError('an entry has tokens or fingerprints, not both');
    try {
      return { ...entry, fingerprints: this.#keyedHash.tokens(tokens) };
    } catch (cause) {
      throw new TypeError('a token is too long', { cause });
    }
  }

  #open(): FakeDatabase {
    if (this.#down || this.#closed)
      throw new StoreError('STORE_UNAVAILABLE', 'the fake store was told to fail');
    return this.database;
  }
}
