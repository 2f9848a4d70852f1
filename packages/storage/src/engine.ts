import { KeyedHash, linkEntry, StoreError } from '@callpass/domain';
import type { ChangeMark, StateRecord } from '@callpass/ledger';
import type {
  ChainHead,
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
import type { Kysely } from 'kysely';
import { ChainHeads, findHead, headOf } from './database/chain-heads.ts';
import { readChain, readChains } from './database/chains.ts';
import { StateChanges, attemptAlone, type ItemOutcome } from './database/changes.ts';
import { claimAnswers, type Claim } from './database/claims.ts';
import type { Database } from './database/database.ts';
import { searchEntries } from './database/entry-search.ts';
import { countIssued } from './database/issued-counts.ts';
import { LedgerReplays } from './database/ledger-replay.ts';
import * as reads from './database/reads.ts';
import {
  assertHolds,
  readSealedState,
  readStateRecord,
  stateAltered,
  type SealedState,
} from './database/sealed-state.ts';
import { StateSeal } from './database/state-seal.ts';
import { removeStep, type RemovalStep } from './database/removal.ts';
import { assertSameSeal, isSameSeal, openSecrets, type Secrets } from './database/secrets.ts';
import { assertCurrentSchema } from './schema/migrate.ts';
import type { Tables, HeadColumns } from './schema/tables.ts';
import type { Sealer } from './seal/sealer.ts';
import { decodeBatch, monotonicMs, type CommitItem, type WireBatch } from './thread/batch-codec.ts';
import { encodeEntries, type WireEntries, type WirePage } from './thread/entry-codec.ts';

/** Attempts at a commit that is certain to have written nothing. */
const ATTEMPTS = 4;

/**
 * The store's work on a database, in the thread where the database is. One commit at a time; reads beside it.
 *
 * The head of the chain is kept between commits and forgotten when one fails, since a failed commit may have been written
 * after all: the next one asks the database. Even so a commit goes in only where the recorded head still is what this one
 * was linked to, so that two writers, or a late one, can neither fork a chain nor leave a gap.
 */
export class StoreEngine {
  readonly #database: Database;
  readonly #sealer: Sealer;
  readonly #secrets: Secrets;
  readonly #heads: ChainHeads;
  readonly #seal: StateSeal;
  readonly #keyedHash: KeyedHash;
  readonly #issued: reads.IssuedQuery;
  readonly #replays: LedgerReplays;
  readonly #writerId: string;
  #head: HeadColumns | undefined;
  #leastSequence = 0;
  #latest = { changeCount: 0, chainCount: 0 };
  #lastCommit: Promise<void> = Promise.resolve();

  private constructor(parts: { database: Database; sealer: Sealer; secrets: Secrets; writerId: string }) {
    this.#database = parts.database;
    this.#sealer = parts.sealer;
    this.#secrets = parts.secrets;
    this.#issued = new reads.IssuedQuery(parts.database.reads);
    this.#replays = new LedgerReplays(parts.database.reads);
    this.#heads = new ChainHeads(parts.secrets.ledgerSecret);
    this.#seal = new StateSeal(parts.secrets.ledgerSecret);
    this.#keyedHash = new KeyedHash(parts.secrets.ledgerSecret);
    this.#writerId = parts.writerId;
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

  /** One more step of `LedgerStore.removeEntries`, whose first one is in the commit of its entry. */
  async removeStep(step: { beforeTimeMs: number; fromChain: number }): Promise<RemovalStep> {
    const { disk } = this.#database;
    // On a full disk there is no room for more than a step at a time.
    if (disk?.isReserveSpent()) while (disk.giveBack());
    return this.#database.write((transaction) => this.#removeStep(transaction, step)).catch(this.#sayFull);
  }

  /** See `Store.readTimes`. */
  readTimes(afterMs: number): Promise<StoreTimes> {
    return reads.readTimes(this.#database, afterMs);
  }

  /** See `Store.probe`. */
  async probe(): Promise<void> {
    await reads.readStateVersion(this.#database.reads);
  }

  /**
   * Writes the records of a batch in one transaction, after those of the calls before. Nothing at all is written when this
   * throws in time.
   */
  commit(batch: WireBatch): Promise<readonly ItemOutcome[]> {
    const committed = this.#lastCommit.then(() => this.#commit(batch));
    const settled = () => undefined;
    this.#lastCommit = committed.then(settled, settled);
    return committed;
  }

  async #commit(batch: WireBatch): Promise<readonly ItemOutcome[]> {
    const items = decodeBatch(batch, this.#keyedHash);
    const disk = this.#database.disk;
    if (disk?.isReserveSpent()) return this.#commitNeeded(items);
    for (let attempt = 1; ; attempt++) {
      if (monotonicMs() >= batch.deadlineMs) {
        throw new StoreError('LEDGER_UNAVAILABLE', 'the entry was not written in time');
      }
      try {
        const outcomes = await this.#commitOnce(items);
        await this.#cleanUp(items, outcomes);
        return outcomes;
      } catch (error) {
        const cause = disk?.fullness(error);
        if (cause !== undefined) {
          if (items.some(needsReserve) && disk?.spendReserve()) return this.#commitNeeded(items);
          throw diskFull(cause);
        }
        const retry = error instanceof HeadMoved || this.#database.mayRetry(error);
        if (!retry || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** Commits what the reserve is kept for, of a batch of all kinds, and refuses the rest. */
  async #commitNeeded(items: readonly CommitItem[]): Promise<readonly ItemOutcome[]> {
    const needed = items.filter(needsReserve);
    if (needed.length === 0) throw diskFull(KEPT);
    const outcomes = [...(await this.#commitOnce(needed).catch(this.#sayFull))];
    await this.#cleanUp(needed, outcomes);
    const refused: ItemOutcome = { outcome: 'failed', code: 'LEDGER_UNAVAILABLE', cause: KEPT };
    return items.map((item) => (needsReserve(item) ? outcomes.shift() : undefined) ?? refused);
  }

  readonly #sayFull = (error: unknown): never => {
    const cause = this.#database.disk?.fullness(error);
    throw cause === undefined ? error : diskFull(cause);
  };

  /** Gives free space back to the disk, one step at a time. True while there is more. */
  async giveBack(): Promise<boolean> {
    return this.#database.disk?.giveBack() ?? false;
  }

  async close(): Promise<void> {
    await this.#database.close();
    this.#secrets.ledgerSecret.fill(0);
  }

  async #commitOnce(items: readonly CommitItem[]): Promise<readonly ItemOutcome[]> {
    const from = this.#head ?? (await this.#findHead());
    this.#head = undefined;
    const plain = items.every((item) => item.change === undefined);
    const done = plain
      ? await this.#append(
          from,
          items.map((): ItemOutcome => ({ outcome: 'recorded' })),
          items,
        )
      : await this.#database.write(async (transaction) => {
          const outcomes = await this.#change(transaction, items);
          return this.#append(from, outcomes, items, transaction);
        });
    this.#head = done.to;
    this.#leastSequence = done.to.head_sequence;
    return done.outcomes;
  }

  async #append(
    from: HeadColumns,
    outcomes: readonly ItemOutcome[],
    items: readonly CommitItem[],
    transaction?: Kysely<Tables>,
  ): Promise<{ to: HeadColumns; outcomes: readonly ItemOutcome[] }> {
    let head: ChainHead = headOf(from);
    const entries: LedgerEntry[] = [];
    for (const [index, { entry }] of items.entries()) {
      const outcome = outcomes[index];
      if (outcome?.outcome !== 'recorded') continue;
      const mark = 'change' in outcome ? (outcome.change as ChangeMark) : undefined;
      const linked = linkEntry(head, mark ? { ...entry, ...mark } : entry);
      entries.push(linked);
      head = linked;
    }
    if (entries.length === 0) return { to: from, outcomes };
    const to = this.#heads.authenticate(from.number, head);
    if (!(await this.#database.append({ from, to, entries }, transaction))) throw new HeadMoved();
    return { to, outcomes };
  }

  async #change(transaction: Kysely<Tables>, items: readonly CommitItem[]): Promise<ItemOutcome[]> {
    const outcomes = items.map((): ItemOutcome => ({ outcome: 'recorded' }));
    await assertSameSeal(transaction, this.#secrets.sealedCheck);
    // No record has two changes and claims touch nothing that others do, so they can go first and together.
    const claims: [index: number, claim: Claim][] = [];
    for (const [index, { change }] of items.entries()) {
      if (change?.kind === 'rememberAnswer') claims.push([index, change]);
    }
    if (claims.length > 0) {
      const claimed = await claimAnswers(
        transaction,
        claims.map(([, claim]) => claim),
        { sealer: this.#sealer, database: this.#database },
      );
      claims.forEach(([index], at) => (outcomes[index] = claimed[at] as ItemOutcome));
    }
    const { rowLocks, disk } = this.#database;
    const changes = new StateChanges(transaction, { sealer: this.#sealer, seal: this.#seal, rowLocks, disk });
    for (const [index, { change }] of items.entries()) {
      if (change === undefined || change.kind === 'rememberAnswer') continue;
      if (change.kind === 'removeEntries') {
        const remove = async (): Promise<ItemOutcome> => ({
          outcome: 'recorded',
          removal: await this.#removeStep(transaction, { ...change, fromChain: 1 }),
        });
        outcomes[index] = await attemptAlone(transaction, remove, disk);
        continue;
      }
      outcomes[index] = await changes.attempt(change);
    }
    if (await changes.record()) await this.#database.announce(transaction);
    return outcomes;
  }

  #removeStep(
    transaction: Kysely<Tables>,
    step: { beforeTimeMs: number; fromChain: number },
  ): Promise<RemovalStep> {
    return removeStep(
      transaction,
      { heads: this.#heads, seal: this.#seal, rowLocks: this.#database.rowLocks },
      step,
    );
  }

  async #cleanUp(items: readonly CommitItem[], outcomes: readonly ItemOutcome[]): Promise<void> {
    let destroyed = false;
    for (const [index, { change }] of items.entries()) {
      if (change?.kind === 'addKey') change.keyText.fill(0);
      destroyed ||=
        change?.kind === 'moveKeys' &&
        outcomes[index]?.outcome === 'recorded' &&
        change.moves.some((move) => move.to === 'DESTROYED');
    }
    // The key is erased already; a copy that this fails to get rid of goes with the next checkpoint.
    if (destroyed) await this.#database.afterDestroy().catch(() => undefined);
  }

  #findHead(): Promise<HeadColumns> {
    return findHead(
      this.#database,
      { heads: this.#heads, seal: this.#seal },
      { writerId: this.#writerId, leastSequence: this.#leastSequence },
    );
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

/** Tells whether a record is of an operator's change, which has to be possible when the disk is full. */
function needsReserve({ change }: CommitItem): boolean {
  return change !== undefined && change.kind !== 'rememberAnswer';
}

const KEPT = 'the disk is full: what is left of it is kept for freezing, changing and removing';

function diskFull(cause: string): StoreError {
  return new StoreError('LEDGER_UNAVAILABLE', 'the disk of the store is full', { cause: new Error(cause) });
}

/** Another process wrote to this chain, or an earlier commit of ours arrived late. Nothing of this one was written. */
class HeadMoved extends StoreError {
  constructor() {
    super('LEDGER_UNAVAILABLE', 'the end of the chain keeps moving');
  }
}
