import type { ChainRecord, LedgerEntry } from '@callpass/domain';
import type { Kysely } from 'kysely';
import type { Tables } from '../schema/tables.ts';
import { anchorOf, headOf, type ChainHeads } from './chain-heads.ts';
import { entryOf, selectEntries } from './entry-rows.ts';

/** See `LedgerStore.listChains`. */
export async function readChains(db: Kysely<Tables>, heads: ChainHeads): Promise<readonly ChainRecord[]> {
  const rows = await db.selectFrom('ledger_writers').selectAll().orderBy('number').execute();
  return rows.map((row) => ({
    writerId: row.writer_id,
    number: row.number,
    anchor: anchorOf(row),
    head: headOf(row),
    genuine: heads.isGenuine(row) && heads.isAnchorGenuine(row),
  }));
}

/** See `LedgerStore.readChain`. */
export async function readChain(
  db: Kysely<Tables>,
  { writerId, afterSequence, limit }: { writerId: string; afterSequence: number; limit: number },
): Promise<readonly LedgerEntry[]> {
  const rows = await selectEntries(db)
    .where('ledger_writers.writer_id', '=', writerId)
    .where('ledger.sequence', '>', afterSequence)
    .orderBy('ledger.sequence')
    .limit(limit)
    .execute();
  return rows.map(entryOf);
}
