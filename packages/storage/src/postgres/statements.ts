import type { ChainStep, NewLedgerRow } from '../database/database.ts';
import type { AnswerRow } from '../schema/tables.ts';

/** A statement and its parameters, under the name that it is prepared with. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

const LEDGER_COLUMNS = {
  sequence: 'bigint',
  kind: 'bigint',
  time_ms: 'bigint',
  client: 'text',
  destination: 'text',
  realm: 'text',
  key_version: 'bigint',
  callee: 'text',
  caller: 'text',
  subject_hash: 'text',
  reason: 'text',
  rule: 'text',
  configuration_revision: 'bigint',
  trace_id: 'text',
  issuance_id: 'text',
  expire_time_ms: 'bigint',
  fingerprints: 'bytea',
  previous_hash: 'bytea',
  hash: 'bytea',
} as const satisfies Record<Exclude<keyof NewLedgerRow, 'writer'>, string>;

const ANSWER_COLUMNS = {
  client: 'text',
  request_id: 'text',
  body_hash: 'bytea',
  sealed_answer: 'bytea',
  expire_time_ms: 'bigint',
} as const satisfies Record<keyof AnswerRow, string>;

const APPEND = `
  with moved as (
    update ledger_writers set head_sequence = $1, head_hash = $2, head_mac = $3
    where number = $4 and head_sequence = $5 and head_hash = $6
    returning number
  )
  insert into ledger (writer, ${namesOf(LEDGER_COLUMNS)})
  select moved.number, entry.* from moved, ${unnest(LEDGER_COLUMNS, 7)} as entry (${namesOf(LEDGER_COLUMNS)})
  order by entry.sequence`;

const CLAIM = `
  insert into answers (${namesOf(ANSWER_COLUMNS)})
  select * from ${unnest(ANSWER_COLUMNS, 2)} as claim (${namesOf(ANSWER_COLUMNS)})
  on conflict (client, request_id) do update set
    body_hash = excluded.body_hash, sealed_answer = excluded.sealed_answer, expire_time_ms = excluded.expire_time_ms
  where answers.expire_time_ms <= $1
  returning client, request_id`;

/**
 * Adds rows to a chain and moves its recorded end, in one statement: a commit of entries alone is one round trip. It
 * inserts nothing when the recorded end is another one.
 */
export function appendStatement({ from, to, rows }: ChainStep): Statement {
  return {
    name: 'append',
    text: APPEND,
    values: [
      to.head_sequence,
      to.head_hash,
      to.head_mac,
      from.number,
      from.head_sequence,
      from.head_hash,
      ...columnsOf(LEDGER_COLUMNS, rows),
    ],
  };
}

/** See `Database.claim`. Rows are locked in their order. */
export function claimStatement(rows: readonly AnswerRow[], nowMs: number): Statement {
  return { name: 'claim', text: CLAIM, values: [nowMs, ...columnsOf(ANSWER_COLUMNS, rows)] };
}

function namesOf(columns: Record<string, string>): string {
  return Object.keys(columns).join(', ');
}

function unnest(columns: Record<string, string>, firstParameter: number): string {
  const arrays = Object.values(columns).map((type, index) => `$${firstParameter + index}::${type}[]`);
  return `unnest(${arrays.join(', ')})`;
}

function columnsOf<Column extends string>(
  columns: Readonly<Record<Column, string>>,
  rows: readonly Readonly<Record<NoInfer<Column>, unknown>>[],
): unknown[][] {
  return (Object.keys(columns) as Column[]).map((column) => rows.map((row) => row[column]));
}
