import { canonicalForm, latestVersion, type CanonicalForm } from './canonical.ts';
import {
  ENTRY_FIELDS,
  type CurrentField,
  type EntryField,
  type EntryLinks,
  type EntryPlace,
  type FieldsOf,
} from './entry.ts';

/** The hash before the first entry of a chain. */
export const GENESIS_HASH: Uint8Array = new Uint8Array(32);

/** The head of a chain: the entry that the next one is linked to. */
export interface ChainHead {
  readonly writerId: string;
  /** Sequence of the last entry; 0 for a chain without one. */
  readonly sequence: number;
  readonly hash: Uint8Array;
}

/** A chain that nothing was written to yet. */
export function newChain(writerId: string): ChainHead {
  return { writerId, sequence: 0, hash: GENESIS_HASH };
}

/** An entry in its place, with the fields of a table. */
export type ChainedEntry<F extends EntryField> = FieldsOf<F> & EntryPlace & EntryLinks;

/** The chaining of the entries that a table of fields describes. */
export interface Chaining<F extends EntryField> {
  /** Computes the bytes that the hash of an entry covers. */
  readonly canonicalBytes: CanonicalForm<F>['bytes'];
  /** Links fields to a head, in the table's latest version. The entry is the new head. */
  readonly linkEntry: (head: ChainHead, fields: FieldsOf<F>) => ChainedEntry<F>;
  /** Finds the fault of an entry that should follow a head, whichever version it has; `undefined` for none. */
  readonly faultOf: (head: ChainHead, entry: ChainedEntry<F>) => string | undefined;
}

/** Chains entries with the fields of a table. A chain may hold entries of every version that the table has. */
export function chaining<F extends EntryField>(table: readonly F[]): Chaining<F> {
  const canonical = canonicalForm(table);
  const version = latestVersion(table);
  return {
    canonicalBytes: canonical.bytes,
    linkEntry(head, fields) {
      const { writerId, hash: previousHash } = head;
      const sequence = head.sequence + 1;
      const hash = canonical.hash(previousHash, { version, writerId, sequence }, fields);
      return { ...fields, version, writerId, sequence, previousHash, hash };
    },
    faultOf(head, entry) {
      if (entry.writerId !== head.writerId) return 'belongs to another chain';
      if (entry.sequence !== head.sequence + 1) return `entry ${head.sequence + 1} is missing`;
      if (!equalBytes(entry.previousHash, head.hash)) return 'does not follow the entry before it';
      return hashHolds(canonical, entry) ? undefined : 'was altered';
    },
  };
}

/** The chaining of today's entries. */
export const { canonicalBytes, linkEntry, faultOf }: Chaining<CurrentField> =
  chaining<CurrentField>(ENTRY_FIELDS);

/** The version that entries are written with today. */
export const ENTRY_VERSION: number = latestVersion(ENTRY_FIELDS);

function hashHolds<F extends EntryField>(canonical: CanonicalForm<F>, entry: ChainedEntry<F>): boolean {
  try {
    return equalBytes(entry.hash, canonical.hash(entry.previousHash, entry, entry));
  } catch {
    // What was put in place of the true value has no canonical form.
    return false;
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
