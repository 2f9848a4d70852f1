import type { ChainStep } from '../database/database.ts';
import { columnValue, ENTRY_COLUMNS, type ColumnType } from '../database/entry-rows.ts';
import type { AnswerRow } from '../schema/tables.ts';

/** A statement and its parameters, under the name that it is prepared with. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

const TYPES: Readonly<Record<ColumnType, string>> = {
  kind: 'bigint',
  number: 'bigint',
  uint32: 'bigint',
  time: 'bigint',
  text: 'text',
  fingerprints: 'bytea',
  bytes: 'bytea',
};

const LEDGER_COLUMNS = Object.fromEntries(ENTRY_COLUMNS.map(({ column, type }) => [column, TYPES[type]]));

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
 * Adds entries to a chain and moves its recorded head, in one statement: a commit of entries alone is one round trip. It
 * inserts nothing when the recorded head is another one.
 */
export function appendStatement({ from, to, entries }: ChainStep): Statement {
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
      ...ENTRY_COLUMNS.map((column) => entries.map((entry) => columnValue(entry, column))),
    ],
  };
}

/** See `Database.claim`. Rows are locked in their order. */
export function claimStatement(rows: readonly AnswerRow[], nowMs: number): Statement {
  return { name: 'claim', text: CLAIM, values: [nowMs, ...columnsOf(rows)] };
}

function namesOf(columns: Record<string, string>): string {
  return Object.keys(columns).join(', ');
}

function unnest(columns: Record<string, string>, firstParameter: number): string {
  const arrays = Object.values(columns).map((type, index) => `$${firstParameter + index}::${type}[]`);
  return `unnest(${arrays.join(', ')})`;
}

function columnsOf(rows: readonly AnswerRow[]): unknown[][] {
  return (Object.keys(ANSWER_COLUMNS) as (keyof AnswerRow)[]).map((column) => rows.map((row) => row[column]));
}
