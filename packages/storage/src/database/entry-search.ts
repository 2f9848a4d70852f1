import { setImmediate as breathe } from 'node:timers/promises';
import {
  ENTRY_KINDS,
  COARSEST_TIME_UNIT_MS,
  issuanceTimeMs,
  StoreError,
  type EntryQuery,
  type PositionedEntry,
} from '@callpass/domain';
import { sql, type Kysely, type SqlBool } from 'kysely';
import type { Tables } from '../schema/tables.ts';
import { monotonicMs } from '../thread/batch-codec.ts';
import { entryOf, selectEntries } from './entry-rows.ts';

/** Rows of one query of a search: what a commit may have to wait for. */
export const ROWS_PER_STEP = 10_000;
const INDEX_ROWS_PER_STEP = 50_000;

/** From the first to before the second. */
type TimeWindow = readonly [fromMs: number, toMs: number];

/** Positions, both included. */
export type Stretch = readonly [first: number, last: number];

/**
 * See `LedgerStore.listEntries`.
 *
 * Time is all that the ledger has an index for. One on traces or issuances would take the entries of each commit to as
 * many places all over a tree that grows with the ledger, and every grant would pay for it. An issuance id tells its own
 * time; a trace is sought in the range of time that is asked for. So a search goes through one stretch of the ledger, in
 * steps between which commits go on, until it has its entries or its time is up.
 */
export async function searchEntries(
  db: Kysely<Tables>,
  { query, deadlineMs }: { query: EntryQuery; deadlineMs: number },
): Promise<readonly PositionedEntry[]> {
  const window = windowOf(query);
  const found: PositionedEntry[] = [];
  const look = async (stretch: Stretch): Promise<void> => {
    found.push(...(await scan(db, query, { window, stretch, limit: query.limit - found.length })));
  };
  // Most lists are full right where they begin; where the window begins is worth asking only if not.
  let done = query.afterPosition + ROWS_PER_STEP;
  await look([query.afterPosition + 1, done]);
  if (found.length >= query.limit) return found;

  const pace = () => takeBreath(deadlineMs);
  const stretch = window ? await stretchOf(db, window, pace) : await wholeStretch(db);
  if (stretch === undefined) return found;
  const [first, last] = stretch;
  done = Math.max(done, first - 1);
  while (done < last && found.length < query.limit) {
    await pace();
    const to = Math.min(done + ROWS_PER_STEP, last);
    await look([done + 1, to]);
    done = to;
  }
  return found;
}

/** The range of time that the query leaves; `undefined` for all time. */
function windowOf({ startTimeMs, endTimeMs, issuanceId }: EntryQuery): TimeWindow | undefined {
  let from = startTimeMs ?? 0;
  let to = endTimeMs ?? Number.MAX_SAFE_INTEGER;
  const issuedMs = issuanceId === undefined ? undefined : issuanceTimeMs(issuanceId);
  if (issuedMs !== undefined) {
    from = Math.max(from, issuedMs - COARSEST_TIME_UNIT_MS);
    to = Math.min(to, issuedMs + 1);
  }
  return from === 0 && to === Number.MAX_SAFE_INTEGER ? undefined : [from, to];
}

async function scan(
  db: Kysely<Tables>,
  query: EntryQuery,
  part: { window: TimeWindow | undefined; stretch: Stretch; limit: number },
): Promise<PositionedEntry[]> {
  const [first, last] = part.stretch;
  const [from, to] = part.window ?? [undefined, undefined];
  const { destination, client, kind, issuanceId, traceId } = query;
  const rows = await selectEntries(db)
    .select('ledger.position')
    .where('ledger.position', '>=', first)
    .where('ledger.position', '<=', last)
    // Written so that no database goes by the index on time here, which would sort what the position has in order.
    .$if(from !== undefined, (q) => q.where(sql<SqlBool>`ledger.time_ms + 0 >= ${from}`))
    .$if(to !== undefined, (q) => q.where(sql<SqlBool>`ledger.time_ms + 0 < ${to}`))
    .$if(destination !== undefined, (q) => q.where('ledger.destination', '=', destination as string))
    .$if(client !== undefined, (q) => q.where('ledger.client', '=', client as string))
    .$if(kind !== undefined, (q) => q.where('ledger.kind', '=', kind ? ENTRY_KINDS[kind] : 0))
    .$if(issuanceId !== undefined, (q) => q.where('ledger.issuance_id', '=', issuanceId as string))
    .$if(traceId !== undefined, (q) => q.where('ledger.trace_id', '=', traceId as string))
    .orderBy('ledger.position')
    .limit(part.limit)
    .execute();
  return rows.map(({ position, ...row }) => ({ position, entry: entryOf(row) }));
}

/** The positions of the first and the last entry; `undefined` where there are none. */
export async function wholeStretch(db: Kysely<Tables>): Promise<Stretch | undefined> {
  const end = (direction: 'asc' | 'desc') =>
    db.selectFrom('ledger').select('position').orderBy('position', direction).limit(1).executeTakeFirst();
  const [first, last] = [await end('asc'), await end('desc')];
  return first && last && [first.position, last.position];
}

/**
 * The positions between which everything of a range of time lies. Not only its first and last moment are looked at: clocks
 * differ and may be put back.
 */
export async function stretchOf(
  db: Kysely<Tables>,
  [from, to]: TimeWindow,
  pace: () => Promise<void>,
): Promise<Stretch | undefined> {
  let stretch: Stretch | undefined;
  let at = from;
  let limit = INDEX_ROWS_PER_STEP;
  while (at < to) {
    await pace();
    const part = await partOf(db, [at, to], limit);
    if (part.count === 0) break;
    stretch = [
      Math.min(stretch?.[0] ?? part.first, part.first),
      Math.max(stretch?.[1] ?? part.last, part.last),
    ];
    if (part.count < limit) break;
    // The last moment may have more than the step took; if it is all that the step took, the next takes more of it.
    if (part.lastTimeMs === at) limit *= 2;
    at = part.lastTimeMs;
  }
  return stretch;
}

async function partOf(
  db: Kysely<Tables>,
  [from, to]: TimeWindow,
  limit: number,
): Promise<{ count: number; first: number; last: number; lastTimeMs: number }> {
  return db
    .selectFrom((eb) =>
      eb
        .selectFrom('ledger')
        .select(['position', 'time_ms'])
        .where('time_ms', '>=', from)
        .where('time_ms', '<', to)
        .orderBy('time_ms')
        .limit(limit)
        .as('part'),
    )
    .select((eb) => [
      eb.fn.countAll<number>().as('count'),
      eb.fn.coalesce(eb.fn.min('position'), eb.lit(0)).as('first'),
      eb.fn.coalesce(eb.fn.max('position'), eb.lit(0)).as('last'),
      eb.fn.coalesce(eb.fn.max('time_ms'), eb.lit(0)).as('lastTimeMs'),
    ])
    .executeTakeFirstOrThrow();
}

async function takeBreath(deadlineMs: number): Promise<void> {
  if (monotonicMs() >= deadlineMs) {
    throw new StoreError('STORE_UNAVAILABLE', 'the search takes too long: ask for a shorter range of time');
  }
  await breathe();
}
