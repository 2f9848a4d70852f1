import {
  ENTRY_FIELDS,
  entryKind,
  joinFingerprints,
  kindNumber,
  splitFingerprints,
  type LedgerEntry,
} from '@callpass/ledger';
import type { Kysely } from 'kysely';
import type { Tables } from '../schema/tables.ts';

/** The columns of an entry, in the order in which they are written: all of its row but position and chain. */
export const ENTRY_COLUMNS = [
  { name: 'version', column: 'version', type: 'number' },
  { name: 'sequence', column: 'sequence', type: 'number' },
  ...ENTRY_FIELDS,
  { name: 'previousHash', column: 'previous_hash', type: 'bytes' },
  { name: 'hash', column: 'hash', type: 'bytes' },
] as const;

type EntryColumn = (typeof ENTRY_COLUMNS)[number];

/** The type of an entry's column. */
export type ColumnType = EntryColumn['type'];

/** The value of an entry's column. */
export function columnValue(entry: LedgerEntry, { name }: EntryColumn): string | number | Uint8Array | null {
  if (name === 'kind') return kindNumber(entry.kind);
  if (name === 'fingerprints') return entry.fingerprints ? joinFingerprints(entry.fingerprints) : null;
  return entry[name];
}

type Selected<Column> = Column extends { name: infer Name extends string; column: infer Of extends string }
  ? `ledger.${Of} as ${Name}`
  : never;

const SELECTION = ENTRY_COLUMNS.map(
  ({ name, column }) => `ledger.${column} as ${name}`,
) as Selected<EntryColumn>[];

/** An entry as it is selected: named as in an entry, with kind and fingerprints as in the row. */
export type SelectedEntry = Omit<LedgerEntry, 'kind' | 'fingerprints'> & {
  readonly kind: number;
  readonly fingerprints: Uint8Array | null;
};

/** Begins a query of entries; see {@link entryOf}. */
export function selectEntries(db: Kysely<Tables>) {
  return db
    .selectFrom('ledger')
    .innerJoin('ledger_writers', 'ledger_writers.number', 'ledger.writer')
    .select('ledger_writers.writer_id as writerId')
    .select(SELECTION);
}

/**
 * The entry that was selected. Whether it was altered is for the chain to tell, not for this: what no entry can hold, an
 * unknown kind among it, is passed on as it is, so that it has no canonical form.
 */
export function entryOf(selected: SelectedEntry): LedgerEntry {
  const { kind, fingerprints } = selected;
  return {
    ...selected,
    kind: entryKind(kind),
    fingerprints: fingerprints ? splitFingerprints(fingerprints) : undefined,
  };
}
