import { KeyedHash } from '@callpass/domain';
import type {
  ChainRecord,
  EntryQuery,
  IssuedStep,
  IssuedStepQuery,
  LedgerEntry,
  RevisionRecord,
  StoredRevision,
  StoredState,
  StoreTimes,
} from '@callpass/domain';
import type { StateRecord } from '@callpass/ledger';
import { ChainWriter } from './commit/chain-writer.ts';
import { ChainHeads } from './database/chain-heads.ts';
import { readChain, readChains } from './database/chains.ts';
import type { ItemOutcome } from './database/changes.ts';
import type { Database } from './database/database.ts';
import { searchEntries } from './database/entry-search.ts';
import { countIssued } from './database/issued-counts.ts';
import { LedgerReplays } from './database/ledger-replay.ts';
import * as reads from './database/reads.ts';
import { hasRemoved, type RemovalStep } from './database/removal.ts';
import {
  assertHolds,
  readSealedState,
  readStateRecord,
  stateAltered,
  type SealedState,
} from './database/sealed-state.ts';
import { isSameSeal, openSecrets, type Secrets } from './database/secrets.ts';
import { StateSeal } from './database/state-seal.ts';
import { assertCurrentSchema } from './schema/migrate.ts';
import type { Sealer } from './seal/sealer.ts';
import type { WireBatch } from './thread/batch-codec.ts';
import { encodeEntries, type WireEntries, type WirePage } from './thread/entry-codec.ts';

/** The store's work on a database, in the thread where the database is. One commit at a time; reads beside it. */
export class StoreEngine {
  readonly #database: Database;
  readonly #sealer: Sealer;
  readonly #secrets: Secrets;
  readonly #heads: ChainHeads;
  readonly #seal: StateSeal;
  readonly #writer: ChainWriter;
  readonly #issued: reads.IssuedQuery;
  readonly #replays: LedgerReplays;
  #latest = { changeCount: 0, chainCount: 0 };

  private constructor(parts: { database: Database; sealer: Sealer; secrets: Secrets; writerId: string }) {
    this.#database = parts.database;
    this.#sealer = parts.sealer;
    this.#secrets = parts.secrets;
    this.#issued = new reads.IssuedQuery(parts.database.reads);
    this.#replays = new LedgerReplays(parts.database.reads);
    this.#heads = new ChainHeads(parts.secrets.ledgerSecret);
    this.#seal = new StateSeal(parts.secrets.ledgerSecret);
    const { ledgerSecret, sealedCheck } = parts.secrets;
    const [heads, seal, keyedHash] = [this.#heads, this.#seal, new KeyedHash(ledgerSecret)];
    this.#writer = new ChainWriter({ ...parts, sealedCheck, heads, seal, keyedHash });
  }

  /** Throws `SCHEMA_OUTDATED`, `SCHEMA_TOO_NEW` or `SEAL_KEY_WRONG`. */
  static async open(parts: { database: Database; sealer: Sealer; writerId: string }): Promise<StoreEngine> {
    await assertCurrentSchema(parts.database);
    const secrets = await openSecrets(parts.database.reads, parts.sealer);
    return new StoreEngine({ ...parts, secrets });
  }

  /** See `Store.ledgerSecret`. */
  get ledgerSecret(): Uint8Array {
    return this.#secrets.ledgerSecret;
  }

  /** See `Store.stateVersion`. */
  stateVersion(): Promise<number> {
    return reads.readStateVersion(this.#database.reads);
  }

  /** See `Store.loadState`. */
  async loadState(): Promise<StoredState> {
    const { sealed, sealedAnew } = await this.#readSealedState();
    return reads.storedState(sealed, sealedAnew ? undefined : this.#sealer);
  }

  /** See `Store.checkState`. */
  async checkState(): Promise<void> {
    await this.#readSealedState();
  }

  /** See `LedgerStore.readStateRecord`. */
  async readStateRecord(): Promise<StateRecord> {
    const record = await this.#database.snapshot((db) => readStateRecord(db, this.#seal));
    return { ...record, faults: [...record.faults, ...this.#wentBack(record)] };
  }

  /** See `Store.getRevision`. */
  getRevision(revision: number): Promise<StoredRevision | undefined> {
    return reads.readRevision(this.#database.reads, this.#seal, revision);
  }

  /** See `Store.listRevisions`. */
  listRevisions(page: { beforeRevision: number; limit: number }): Promise<readonly RevisionRecord[]> {
    return reads.readRevisions(this.#database.reads, page);
  }

  /** See `Store.findIssued`. */
  findIssued(query: { realm: string; timeMs: number }): Promise<readonly LedgerEntry[]> {
    return this.#issued.run(query);
  }

  /** See `Store.hasRemoved`. */
  hasRemoved(timeMs: number): Promise<boolean> {
    return hasRemoved(this.#database.reads, timeMs);
  }

  /** See `Store.findAnswer`. */
  findAnswer(query: { client: string; requestId: string; nowMs: number }) {
    return reads.readAnswer(this.#database.reads, this.#sealer, query);
  }

  /** See `LedgerStore.listEntries`. The deadline is on the clock of `monotonicMs`. */
  async listEntries(search: { query: EntryQuery; deadlineMs: number }): Promise<WirePage> {
    const found = await searchEntries(this.#database.reads, search);
    const positions = found.map(({ position }) => position);
    return { positions, entries: encodeEntries(found.map(({ entry }) => entry)) };
  }

  /** See `LedgerStore.countIssued`. */
  countIssued(query: IssuedStepQuery): Promise<IssuedStep> {
    return countIssued(this.#database.reads, query);
  }

  /** One step of `Store.replay`: the first with the plan, the others without. */
  replay(plan: Parameters<LedgerReplays['step']>[0]): ReturnType<LedgerReplays['step']> {
    return this.#replays.step(plan);
  }

  /** See `LedgerStore.listChains`. */
  listChains(): Promise<readonly ChainRecord[]> {
    return readChains(this.#database.reads, this.#heads);
  }

  /** See `LedgerStore.readChain`. */
  async readChain(page: { writerId: string; afterSequence: number; limit: number }): Promise<WireEntries> {
    return encodeEntries(await readChain(this.#database.reads, page));
  }

  /** See {@link ChainWriter.removeStep}. */
  removeStep(step: { beforeTimeMs: number; fromChain: number }): Promise<RemovalStep> {
    return this.#writer.removeStep(step);
  }

  /** See `Store.readTimes`. */
  readTimes(afterMs: number): Promise<StoreTimes> {
    return reads.readTimes(this.#database, afterMs);
  }

  /** See `Store.probe`. */
  async probe(): Promise<void> {
    await reads.readStateVersion(this.#database.reads);
  }

  /** See {@link ChainWriter.commit}. */
  commit(batch: WireBatch): Promise<readonly ItemOutcome[]> {
    return this.#writer.commit(batch);
  }

  /** Gives free space back to the disk, one step at a time. True while there is more. */
  async giveBack(): Promise<boolean> {
    return this.#database.disk?.giveBack() ?? false;
  }

  async close(): Promise<void> {
    await this.#database.close();
    this.#secrets.ledgerSecret.fill(0);
  }

  async #readSealedState(): Promise<{ sealed: SealedState; sealedAnew: boolean }> {
    const { sealed, sealedAnew } = await this.#database.snapshot(async (db) => ({
      sealed: await readSealedState(db, this.#seal),
      sealedAnew: !(await isSameSeal(db, this.#secrets.sealedCheck)),
    }));
    assertHolds(sealed);
    const { change_count: changeCount, chain_count: chainCount } = sealed.state;
    const faults = this.#wentBack({ changeCount, chainCount });
    if (faults.length > 0) throw stateAltered(faults);
    this.#latest = { changeCount, chainCount };
    return { sealed, sealedAnew };
  }

  /** Counters only grow, so a store that has lower ones than before was put back as a whole. */
  #wentBack({ changeCount, chainCount }: Pick<StateRecord, 'changeCount' | 'chainCount'>): string[] {
    const { changeCount: changes, chainCount: chains } = this.#latest;
    if (changeCount >= changes && chainCount >= chains) return [];
    return ['the store was put back to an earlier state while this instance was running'];
  }
}
