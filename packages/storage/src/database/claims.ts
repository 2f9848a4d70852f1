import type { RecordOutcome, StateChange } from '@callpass/domain';
import { sql, type Kysely } from 'kysely';
import type { AnswerRow, Tables } from '../schema/tables.ts';
import type { Database, RowLocks } from './database.ts';
import { answerPlace } from '../seal/places.ts';
import type { Sealer } from '../seal/sealer.ts';

/** The claim of a request id. */
export type Claim = Extract<StateChange, { kind: 'rememberAnswer' }>;

/** Rows purged with a commit that claims: more than it adds, so that the table stays as small as its lifetimes allow. */
const PURGED_PER_CLAIM = 2;
const PURGED_AT_LEAST = 16;

/**
 * Claims request ids for a commit, all at once. The outcomes are in the order of the claims: the first claim of
 * an id gets it, unless it was claimed before and has not expired.
 *
 * Rows are locked in the order of their ids, so that two instances with the same ids never wait for each other in turn.
 */
export async function claimAnswers(
  transaction: Kysely<Tables>,
  claims: readonly Claim[],
  { sealer, database }: { sealer: Sealer; database: Database },
): Promise<RecordOutcome[]> {
  const firstOf = new Map<string, Claim>();
  for (const claim of claims) if (!firstOf.has(idOf(claim))) firstOf.set(idOf(claim), claim);
  const nowMs = Math.max(...claims.map((claim) => claim.nowMs));

  const candidates = [...firstOf.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, claim]) => claim);
  const rows = candidates.map((claim) => toRow(claim, sealer));
  const claimed = await database.claim(transaction, rows, nowMs);
  const won = new Set(claimed.map((row) => idOf({ client: row.client, requestId: row.request_id })));

  const outcomes: RecordOutcome[] = [];
  for (const claim of claims) {
    const mine = won.has(idOf(claim)) && firstOf.get(idOf(claim)) === claim;
    outcomes.push(mine ? { outcome: 'recorded' } : await answeredBefore(transaction, claim, sealer));
  }
  await purge(
    transaction,
    { nowMs, limit: PURGED_AT_LEAST + PURGED_PER_CLAIM * claims.length },
    database.rowLocks,
  );
  return outcomes;
}

async function answeredBefore(
  transaction: Kysely<Tables>,
  claim: Claim,
  sealer: Sealer,
): Promise<RecordOutcome> {
  const row = await transaction
    .selectFrom('answers')
    .select(['body_hash', 'sealed_answer'])
    .where('client', '=', claim.client)
    .where('request_id', '=', claim.requestId)
    .executeTakeFirstOrThrow();
  return {
    outcome: 'answeredBefore',
    bodyHash: row.body_hash,
    answer: sealer.open(answerPlace(claim), row.sealed_answer),
  };
}

async function purge(
  transaction: Kysely<Tables>,
  { nowMs, limit }: { nowMs: number; limit: number },
  { skip }: RowLocks,
): Promise<void> {
  // Another instance may be purging the same rows: they are left to it.
  await sql`
    delete from answers where (client, request_id) in (
      select client, request_id from answers
      where expire_time_ms <= ${nowMs} order by expire_time_ms limit ${limit} ${skip}
    )`.execute(transaction);
}

function toRow(claim: Claim, sealer: Sealer): AnswerRow {
  return {
    client: claim.client,
    request_id: claim.requestId,
    body_hash: claim.bodyHash,
    sealed_answer: sealer.seal(answerPlace(claim), claim.answer),
    expire_time_ms: claim.expireTimeMs,
  };
}

function idOf({ client, requestId }: { client: string; requestId: string }): string {
  return JSON.stringify([client, requestId]);
}
