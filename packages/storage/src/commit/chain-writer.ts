import { linkEntry, StoreError, type ChainHead, type KeyedHash, type LedgerEntry } from '@callpass/domain';
import type { ChangeMark } from '@callpass/ledger';
import type { Kysely } from 'kysely';
import { findHead, headOf, type ChainHeads } from '../database/chain-heads.ts';
import { StateChanges, attemptAlone, type ItemOutcome } from '../database/changes.ts';
import { claimAnswers, type Claim } from '../database/claims.ts';
import type { Database } from '../database/database.ts';
import { removeStep, type RemovalStep } from '../database/removal.ts';
import { assertSameSeal } from '../database/secrets.ts';
import type { StateSeal } from '../database/state-seal.ts';
import type { Tables, HeadColumns } from '../schema/tables.ts';
import type { Sealer } from '../seal/sealer.ts';
import { decodeBatch, monotonicMs, type CommitItem, type WireBatch } from '../thread/batch-codec.ts';

/** Attempts at a commit that is certain to have written nothing. */
const ATTEMPTS = 4;

/** Parts of a {@link ChainWriter}. */
export interface ChainWriterParts {
  readonly database: Database;
  readonly sealer: Sealer;
  /** The check of the seal key as it was when the store was opened. */
  readonly sealedCheck: Uint8Array;
  readonly heads: ChainHeads;
  readonly seal: StateSeal;
  readonly keyedHash: KeyedHash;
  readonly writerId: string;
}

/**
 * The writing of a store: its entries in their chain, and the changes that come with them. One commit at a time.
 *
 * The head of the chain is kept between commits and forgotten when one fails, since a failed commit may have been written
 * after all: the next one asks the database. Even so a commit goes in only where the recorded head still is what this one
 * was linked to, so that two writers, or a late one, can neither fork a chain nor leave a gap.
 */
export class ChainWriter {
  readonly #parts: ChainWriterParts;
  readonly #database: Database;
  #head: HeadColumns | undefined;
  #leastSequence = 0;
  #lastCommit: Promise<void> = Promise.resolve();

  constructor(parts: ChainWriterParts) {
    this.#parts = parts;
    this.#database = parts.database;
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
    const items = decodeBatch(batch, this.#parts.keyedHash);
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

  /** One more step of `LedgerStore.removeEntries`, whose first one is in the commit of its entry. */
  async removeStep(step: { beforeTimeMs: number; fromChain: number }): Promise<RemovalStep> {
    const { disk } = this.#database;
    // On a full disk there is no room for more than a step at a time.
    if (disk?.isReserveSpent()) while (disk.giveBack());
    return this.#database.write((transaction) => this.#removeStep(transaction, step)).catch(this.#sayFull);
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
    const to = this.#parts.heads.authenticate(from.number, head);
    if (!(await this.#database.append({ from, to, entries }, transaction))) throw new HeadMoved();
    return { to, outcomes };
  }

  async #change(transaction: Kysely<Tables>, items: readonly CommitItem[]): Promise<ItemOutcome[]> {
    const outcomes = items.map((): ItemOutcome => ({ outcome: 'recorded' }));
    await assertSameSeal(transaction, this.#parts.sealedCheck);
    // No record has two changes and claims touch nothing that others do, so they can go first and together.
    const claims: [index: number, claim: Claim][] = [];
    for (const [index, { change }] of items.entries()) {
      if (change?.kind === 'rememberAnswer') claims.push([index, change]);
    }
    if (claims.length > 0) {
      const claimed = await claimAnswers(
        transaction,
        claims.map(([, claim]) => claim),
        { sealer: this.#parts.sealer, database: this.#database },
      );
      claims.forEach(([index], at) => (outcomes[index] = claimed[at] as ItemOutcome));
    }
    const { rowLocks, disk } = this.#database;
    const changes = new StateChanges(transaction, {
      sealer: this.#parts.sealer,
      seal: this.#parts.seal,
      rowLocks,
      disk,
    });
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
      { heads: this.#parts.heads, seal: this.#parts.seal, rowLocks: this.#database.rowLocks },
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
      { heads: this.#parts.heads, seal: this.#parts.seal },
      { writerId: this.#parts.writerId, leastSequence: this.#leastSequence },
    );
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
