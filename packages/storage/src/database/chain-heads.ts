import { createHmac, createSecretKey, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto';
import { GENESIS_HASH, newChain, StoreError, type ChainHead } from '@callpass/domain';
import type { AnchorColumns, HeadColumns, ChainRow } from '../schema/tables.ts';
import type { Database } from './database.ts';
import { lockCounters } from './sealed-state.ts';
import { recordState, type StateSeal } from './state-seal.ts';

/**
 * Authenticates the recorded heads and anchors of the chains: HMAC-SHA-256 with keys derived from the ledger secret.
 *
 * Entries link backwards, so a chain alone does not show that its newest entries were removed. Each commit therefore
 * records the head in `ledger_writers`: who can write to the database but not open its secrets can neither cut a chain nor
 * compute it anew unnoticed. Chains are numbered without gaps, so a chain that was removed as a whole leaves a hole.
 *
 * The anchor, the last entry that retention removed, is recorded in the same row under a key of its own, so that commits
 * need not know of it. An anchor that is put back to a former one misses entries.
 *
 * The record of the state counts the chains, so the newest ones cannot be removed with their rows either.
 *
 * Not detected: a database as a whole, or a chain with its row, that was put back to what it once was. Only an anchor or an
 * export kept elsewhere shows those.
 */
export class ChainHeads {
  readonly #headKey: KeyObject;
  readonly #anchorKey: KeyObject;

  constructor(ledgerSecret: Uint8Array) {
    this.#headKey = derive(ledgerSecret, 'end');
    this.#anchorKey = derive(ledgerSecret, 'anchor');
  }

  /** The columns of a chain with this head. */
  authenticate(number: number, head: ChainHead): HeadColumns {
    return {
      number,
      writer_id: head.writerId,
      head_sequence: head.sequence,
      head_hash: head.hash,
      head_mac: mac(this.#headKey, number, head),
    };
  }

  /** Tells whether this service recorded the head. */
  isGenuine(row: HeadColumns): boolean {
    return equal(row.head_mac, mac(this.#headKey, row.number, headOf(row)));
  }

  /** The columns of a chain whose entries up to this one were removed. */
  authenticateAnchor(number: number, anchor: ChainHead): AnchorColumns {
    return {
      anchor_sequence: anchor.sequence,
      anchor_hash: anchor.hash,
      anchor_mac: mac(this.#anchorKey, number, anchor),
    };
  }

  /** Tells whether this service recorded the anchor, or there is none. */
  isAnchorGenuine(row: ChainRow): boolean {
    const columns = [row.anchor_sequence, row.anchor_hash, row.anchor_mac];
    if (columns.every((column) => column === null)) return true;
    return row.anchor_mac !== null && equal(row.anchor_mac, mac(this.#anchorKey, row.number, anchorOf(row)));
  }
}

function derive(ledgerSecret: Uint8Array, use: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', ledgerSecret, '', `callpass ledger ${use}`, 32)));
}

function mac(key: KeyObject, number: number, place: ChainHead): Buffer {
  const hash = Buffer.from(place.hash).toString('hex');
  const text = JSON.stringify([number, place.writerId, place.sequence, hash]);
  return createHmac('sha256', key).update(text).digest();
}

function equal(recorded: Uint8Array, expected: Uint8Array): boolean {
  return recorded.length === expected.length && timingSafeEqual(recorded, expected);
}

/** The anchor of a chain as its row records it: what the first kept entry follows. */
export function anchorOf(row: ChainRow): ChainHead {
  return {
    writerId: row.writer_id,
    sequence: row.anchor_sequence ?? 0,
    hash: row.anchor_hash ?? GENESIS_HASH,
  };
}

/** The head of a chain as its row records it. */
export function headOf(row: HeadColumns): ChainHead {
  return { writerId: row.writer_id, sequence: row.head_sequence, hash: row.head_hash };
}

/**
 * Finds the recorded head of a writer's chain, which is begun if there is none yet. Throws `STATE_ALTERED` when the record of
 * the chains is not ours, `LEDGER_UNAVAILABLE` when the row is not ours or lies before `leastSequence`, which was on disk before: going on would cover up that the chain was cut.
 */
export async function findHead(
  database: Database,
  { heads, seal }: { heads: ChainHeads; seal: StateSeal },
  { writerId, leastSequence }: { writerId: string; leastSequence: number },
): Promise<HeadColumns> {
  const row = await database.write(async (transaction) => {
    const found = await transaction
      .selectFrom('ledger_writers')
      .selectAll()
      .where('writer_id', '=', writerId)
      .executeTakeFirst();
    if (found !== undefined || leastSequence > 0) return found;
    const state = await lockCounters(transaction, seal, database.rowLocks);
    const { last } = await transaction
      .selectFrom('ledger_writers')
      .select((eb) => eb.fn.max('number').as('last'))
      .executeTakeFirstOrThrow();
    // Never a number that was used, even if its chain is gone.
    const number = Math.max(state.chain_count, last ?? 0) + 1;
    const begun = heads.authenticate(number, newChain(writerId));
    await transaction.insertInto('ledger_writers').values(begun).execute();
    await recordState(transaction, seal, { ...state, chain_count: number });
    return begun;
  });
  if (row === undefined || row.head_sequence < leastSequence || !heads.isGenuine(row)) {
    throw new StoreError(
      'LEDGER_UNAVAILABLE',
      'the recorded end of this chain was altered: verify the ledger',
    );
  }
  return row;
}
