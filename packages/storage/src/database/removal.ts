import { faultOf, type ChainHead } from '@callpass/domain';
import { sql, type Kysely, type SqlBool } from 'kysely';
import type { RowLocks } from './database.ts';
import type { Tables, ChainRow } from '../schema/tables.ts';
import { anchorOf, type ChainHeads } from './chain-heads.ts';
import { entryOf, selectEntries } from './entry-rows.ts';
import { lockCounters } from './sealed-state.ts';
import { recordState, type StateSeal } from './state-seal.ts';

/** Limits on one step, so that commits of grants wait for it some hundredths of a second and no more. */
const ENTRIES_PER_STEP = 1000;
const CHAINS_PER_STEP = 100;

/** The removal of old entries, as the change that their record brings with it: its first step. */
export interface EntryRemoval {
  readonly kind: 'removeEntries';
  readonly beforeTimeMs: number;
}

/** Progress of a removal after one step. */
export interface RemovalStep {
  readonly removed: number;
  /** The number of the chain to go on with; `undefined` when all is done. */
  readonly nextChain: number | undefined;
}

/**
 * One step of `LedgerStore.removeEntries` in the transaction given: chains by their numbers from `fromChain` on. A chain
 * whose head or anchor this service did not record is left alone. Throws `STATE_ALTERED` where the record of the state is not ours.
 */
export async function removeStep(
  transaction: Kysely<Tables>,
  { heads, seal, rowLocks }: { heads: ChainHeads; seal: StateSeal; rowLocks: RowLocks },
  { beforeTimeMs, fromChain }: { beforeTimeMs: number; fromChain: number },
): Promise<RemovalStep> {
  // Taken before those of the chains, as every change does, so that nobody waits for the other in turn.
  const state = await lockCounters(transaction, seal, rowLocks);
  let forgotten = state.forgotten_changes;
  const chains = await chainsToShorten(transaction, { beforeTimeMs, fromChain });
  let removed = 0;
  const last = chains.length === CHAINS_PER_STEP ? chains.at(-1) : undefined;
  let nextChain = last && last + 1;
  for (const number of chains) {
    const chain = await lockChain(transaction, number, rowLocks);
    const limit = ENTRIES_PER_STEP - removed;
    if (heads.isGenuine(chain) && heads.isAnchorGenuine(chain)) {
      const shortened = await shorten(transaction, heads, { chain, beforeTimeMs, limit });
      removed += shortened.removed;
      forgotten = Math.max(forgotten, shortened.lastChange);
    }
    if (removed === ENTRIES_PER_STEP) {
      nextChain = number;
      break;
    }
  }
  if (forgotten > state.forgotten_changes)
    await recordState(transaction, seal, { ...state, forgotten_changes: forgotten });
  return { removed, nextChain };
}

/** See `Store.hasRemoved`. What was removed of a chain is not later than the first entry that it kept. */
export async function hasRemoved(db: Kysely<Tables>, timeMs: number): Promise<boolean> {
  const row = await chainsWithFirstKept(db)
    .where('ledger_writers.anchor_sequence', '>', 0)
    // Written so that no database goes by the index on time here, which would read all that is newer.
    .where(sql<SqlBool>`ledger.time_ms + 0 >= ${timeMs}`)
    .orderBy('ledger_writers.number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** The number of each chain, joined with the first entry that it kept. */
function chainsWithFirstKept(db: Kysely<Tables>) {
  return db
    .selectFrom('ledger_writers')
    .innerJoin('ledger', (join) =>
      join
        .onRef('ledger.writer', '=', 'ledger_writers.number')
        .on((eb) =>
          eb('ledger.sequence', '=', eb(eb.fn.coalesce('ledger_writers.anchor_sequence', eb.lit(0)), '+', 1)),
        ),
    )
    .select('ledger_writers.number');
}

/** Chains whose first kept entry is before the time and not their newest. */
async function chainsToShorten(
  transaction: Kysely<Tables>,
  { beforeTimeMs, fromChain }: { beforeTimeMs: number; fromChain: number },
): Promise<number[]> {
  const rows = await chainsWithFirstKept(transaction)
    .where('ledger_writers.number', '>=', fromChain)
    .where('ledger.time_ms', '<', beforeTimeMs)
    .whereRef('ledger.sequence', '<', 'ledger_writers.head_sequence')
    .orderBy('ledger_writers.number')
    .limit(CHAINS_PER_STEP)
    .execute();
  return rows.map(({ number }) => number);
}

/** Reads a chain and locks it, since another instance may be shortening it. */
function lockChain(transaction: Kysely<Tables>, number: number, { wait }: RowLocks): Promise<ChainRow> {
  return transaction
    .selectFrom('ledger_writers')
    .selectAll()
    .where('number', '=', number)
    .modifyEnd(wait)
    .executeTakeFirstOrThrow();
}

async function shorten(
  transaction: Kysely<Tables>,
  heads: ChainHeads,
  { chain, beforeTimeMs, limit }: { chain: ChainRow; beforeTimeMs: number; limit: number },
): Promise<{ removed: number; lastChange: number }> {
  const former = anchorOf(chain);
  const rows = await selectEntries(transaction)
    .where('ledger.writer', '=', chain.number)
    .where('ledger.sequence', '>', former.sequence)
    .where('ledger.sequence', '<', chain.head_sequence)
    .orderBy('ledger.sequence')
    .limit(limit)
    .execute();
  let anchor: ChainHead = former;
  let lastChange = 0;
  for (const row of rows) {
    const entry = entryOf(row);
    if (entry.timeMs >= beforeTimeMs || faultOf(anchor, entry) !== undefined) break;
    anchor = entry;
    lastChange = Math.max(lastChange, entry.changeNumber);
  }
  if (anchor === former) return { removed: 0, lastChange };
  await transaction
    .deleteFrom('ledger')
    .where('writer', '=', chain.number)
    .where('sequence', '>', former.sequence)
    .where('sequence', '<=', anchor.sequence)
    .execute();
  await transaction
    .updateTable('ledger_writers')
    .set(heads.authenticateAnchor(chain.number, anchor))
    .where('number', '=', chain.number)
    .execute();
  return { removed: anchor.sequence - former.sequence, lastChange };
}
