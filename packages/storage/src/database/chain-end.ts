import { createHmac, createSecretKey, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto';
import { GENESIS_HASH, StoreError, type ChainHead } from '@callpass/domain';
import type { WriterRow } from '../schema/tables.ts';
import type { Database } from './database.ts';

/**
 * The recorded ends of the chains.
 *
 * Entries link backwards, so a chain alone does not show that its newest entries were removed. Each commit therefore
 * records in `ledger_writers` where the chain ends, authenticated with a key from the ledger secret: whoever can write
 * to the database but not open its secrets can neither cut a chain nor compute it anew without this row telling. Chains
 * are numbered without gaps, so a chain that was removed as a whole leaves a hole among the numbers.
 *
 * What this cannot show: that the database as a whole, or a chain with its row, was put back to what it once was, and
 * the removal of the newest chains together with their rows. Only an export kept elsewhere shows those.
 */
export class ChainEnds {
  readonly #key: KeyObject;

  constructor(ledgerSecret: Uint8Array) {
    this.#key = createSecretKey(Buffer.from(hkdfSync('sha256', ledgerSecret, '', 'callpass ledger end', 32)));
  }

  /** The row of a chain that ends here. */
  seal(number: number, head: ChainHead): WriterRow {
    return {
      number,
      writer_id: head.writerId,
      head_sequence: head.sequence,
      head_hash: head.hash,
      head_mac: this.#mac(number, head),
    };
  }

  /** Whether this service recorded the row. */
  isGenuine(row: WriterRow): boolean {
    const expected = this.#mac(row.number, headOf(row));
    return row.head_mac.length === expected.length && timingSafeEqual(row.head_mac, expected);
  }

  #mac(number: number, head: ChainHead): Buffer {
    const text = JSON.stringify([
      number,
      head.writerId,
      head.sequence,
      Buffer.from(head.hash).toString('hex'),
    ]);
    return createHmac('sha256', this.#key).update(text).digest();
  }
}

/** The end of a chain as its row records it. */
export function headOf(row: WriterRow): ChainHead {
  return { writerId: row.writer_id, sequence: row.head_sequence, hash: row.head_hash };
}

/**
 * The recorded end of a writer's chain, which is begun if there is none yet. Throws `LEDGER_UNAVAILABLE` when the row is
 * not ours or lies before `leastSequence`, which was on disk before: going on would cover up that the chain was cut.
 */
export async function findChainEnd(
  database: Database,
  ends: ChainEnds,
  { writerId, leastSequence }: { writerId: string; leastSequence: number },
): Promise<WriterRow> {
  const row = await database.write(async (transaction) => {
    const found = await transaction
      .selectFrom('ledger_writers')
      .selectAll()
      .where('writer_id', '=', writerId)
      .executeTakeFirst();
    if (found !== undefined || leastSequence > 0) return found;
    const { last } = await transaction
      .selectFrom('ledger_writers')
      .select((eb) => eb.fn.max('number').as('last'))
      .executeTakeFirstOrThrow();
    const begun = ends.seal((last ?? 0) + 1, { writerId, sequence: 0, hash: GENESIS_HASH });
    await transaction.insertInto('ledger_writers').values(begun).execute();
    return begun;
  });
  if (row === undefined || row.head_sequence < leastSequence || !ends.isGenuine(row)) {
    throw new StoreError(
      'LEDGER_UNAVAILABLE',
      'the recorded end of this chain was altered: verify the ledger',
    );
  }
  return row;
}
