import { ENTRY_KINDS, type IssuedStep, type IssuedStepQuery } from '@callpass/domain';
import { sql, type Kysely, type SqlBool } from 'kysely';
import type { Tables } from '../schema/tables.ts';
import { ROWS_PER_STEP, wholeStretch } from './entry-search.ts';

/** See `LedgerStore.countIssued`. */
export async function countIssued(db: Kysely<Tables>, query: IssuedStepQuery): Promise<IssuedStep> {
  const stretch = await wholeStretch(db);
  if (stretch === undefined) return { groups: [], position: 0, lastPosition: 0 };
  const [firstPosition, lastPosition] = stretch;
  const after = Math.max(query.afterPosition, firstPosition - 1);
  const position = Math.min(after + ROWS_PER_STEP, lastPosition);
  const { realm, keyVersion, client, subjectHash, startTimeMs } = query;
  const groups = await db
    .selectFrom('ledger')
    .select((eb) => [
      'client',
      'destination',
      'realm',
      'key_version as keyVersion',
      eb.fn.countAll<number>().as('issued'),
      eb.fn.countAll<number>().filterWhere('expire_time_ms', '>', query.nowMs).as('alive'),
      eb.fn.min('time_ms').as('firstTimeMs'),
      eb.fn.max('time_ms').as('lastTimeMs'),
      eb.fn.max('expire_time_ms').as('lastExpireTimeMs'),
    ])
    .where('position', '>', after)
    .where('position', '<=', position)
    .where('kind', '=', ENTRY_KINDS.ISSUED)
    .$if(realm !== undefined, (q) => q.where('realm', '=', realm as string))
    .$if(keyVersion !== undefined, (q) => q.where('key_version', '=', keyVersion as number))
    .$if(client !== undefined, (q) => q.where('client', '=', client as string))
    .$if(subjectHash !== undefined, (q) => q.where('subject_hash', '=', subjectHash as string))
    // Written so that no database goes by the index on time here.
    .$if(startTimeMs !== undefined, (q) => q.where(sql<SqlBool>`time_ms + 0 >= ${startTimeMs}`))
    .groupBy(['client', 'destination', 'realm', 'key_version'])
    .execute();
  return { groups, position, lastPosition };
}
