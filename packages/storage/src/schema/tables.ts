import type { CurrentField, FieldType } from '@callpass/ledger';
import type { Generated } from 'kysely';

/** The tables as Kysely sees them, the same on every database. Times in milliseconds since the epoch. */
export interface Tables {
  /** One row. */
  state: StateRow;
  secrets: { name: string; sealed: Uint8Array };
  revisions: RevisionRow;
  realm_keys: RealmKeyRow;
  freezes: FreezeRow;
  answers: AnswerRow;
  ledger_writers: ChainRow;
  ledger: LedgerRow;
}

/**
 * The record of everything that decides, under a MAC that nobody makes without the ledger secret. The counters only grow.
 */
export interface StateRow {
  id: number;
  /** Changes whenever configuration, keys or freezes do, and when the store is sealed anew. */
  version: number;
  /** Changes of configuration, keys and freezes that were made. */
  change_count: number;
  /** Chains that were begun. */
  chain_count: number;
  /** Changes up to this number may have no entry any more. */
  forgotten_changes: number;
  /** SHA-256 of the MACs of all rows of `revisions`, `realm_keys` and `freezes`. */
  contents: Uint8Array | null;
  mac: Uint8Array | null;
}

/** A configuration revision. Its MAC covers the whole row. */
export interface RevisionRow {
  revision: number;
  document: Uint8Array;
  apply_time_ms: number;
  applied_by: string;
  mac: Uint8Array | null;
}

/** A realm key. `sealed_text` is null once destroyed. Its MAC covers the whole row. */
export interface RealmKeyRow {
  realm: string;
  version: number;
  state: string;
  fingerprint: string;
  create_time_ms: number;
  activate_time_ms: number | null;
  retire_time_ms: number | null;
  destroy_time_ms: number | null;
  validate_until_ms: number | null;
  sealed_text: Uint8Array | null;
  mac: Uint8Array | null;
}

/** A freeze that is not lifted. Its MAC covers the whole row. */
export interface FreezeRow {
  kind: string;
  value: string;
  reason: string;
  freeze_time_ms: number;
  until_ms: number | null;
  frozen_by: string;
  mac: Uint8Array | null;
}

/** An answer remembered for a request id. */
export interface AnswerRow {
  client: string;
  request_id: string;
  body_hash: Uint8Array;
  sealed_answer: Uint8Array;
  expire_time_ms: number;
}

/** A chain and its recorded head. `number` counts from 1 without gaps, so that a removed chain leaves a hole. */
export interface HeadColumns {
  number: number;
  writer_id: string;
  head_sequence: number;
  head_hash: Uint8Array;
  /** Keyed: nobody without the ledger secret can record another head. */
  head_mac: Uint8Array;
}

/** The last entry that retention removed, under a MAC of its own; null all three while the chain has its beginning. */
export interface AnchorColumns {
  anchor_sequence: number | null;
  anchor_hash: Uint8Array | null;
  anchor_mac: Uint8Array | null;
}

/** A chain with its head and its anchor. */
export interface ChainRow extends HeadColumns, AnchorColumns {}

/** Values of a field's column by the type of the field. Kinds are numbers; fingerprints are 48 bytes, null without tokens. */
interface ColumnValues extends Record<FieldType, unknown> {
  kind: number;
  uint32: number;
  time: number;
  text: string;
  fingerprints: Uint8Array | null;
}

/** The columns of an entry's fields. */
type FieldColumns = { [Field in CurrentField as Field['column']]: ColumnValues[Field['type']] };

/** A ledger entry. `position` is the order of writing in this database. */
export interface LedgerRow extends FieldColumns {
  position: Generated<number>;
  writer: number;
  sequence: number;
  version: number;
  previous_hash: Uint8Array;
  hash: Uint8Array;
}
