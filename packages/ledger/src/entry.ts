/** Kinds of entries. The numbers are part of the canonical bytes and are never reused. */
export const ENTRY_KINDS = {
  ISSUED: 1,
  REFUSED: 2,
  CONFIGURATION_APPLIED: 3,
  KEY_STATE_CHANGED: 4,
  FROZEN: 5,
  UNFROZEN: 6,
  ENTRIES_REMOVED: 7,
} as const;

/** Event that an entry records. */
export type EntryKind = keyof typeof ENTRY_KINDS;

const KIND_NUMBERS = new Map<string, number>(Object.entries(ENTRY_KINDS));
const KIND_NAMES = new Map(Array.from(KIND_NUMBERS, ([name, number]) => [number, name as EntryKind]));

/**
 * The number of a kind. Throws RangeError for a name that no kind has.
 *
 * From a map: a name out of a message is a new string each time, and V8 throws optimized code away that looks up a property by one.
 */
export function kindNumber(kind: string): number {
  const number = KIND_NUMBERS.get(kind);
  if (number === undefined) throw new RangeError('an entry has an unknown kind');
  return number;
}

/**
 * The kind with a number. A number that no kind has gives a name that no kind has: whether an entry was altered is for its
 * chain to tell, and such an entry has no canonical bytes.
 */
export function entryKind(number: number): EntryKind {
  return KIND_NAMES.get(number) ?? (`KIND_${number}` as EntryKind);
}

/** Values of a field by its type. Numbers are whole and not negative; times are in milliseconds since the epoch. */
interface FieldValues {
  readonly kind: EntryKind;
  readonly uint32: number;
  readonly time: number;
  readonly text: string;
  readonly fingerprints: TokenFingerprints | undefined;
}

/** Type of a field: its value in an entry, its column and its canonical bytes follow from it. */
export type FieldType = keyof FieldValues;

/** Field of an entry. */
export interface EntryField {
  /** Name in an entry and in the line of an export. */
  readonly name: string;
  /** Name in the databases. */
  readonly column: string;
  readonly type: FieldType;
  /** First version of entries that has the field. */
  readonly since: number;
}

/**
 * The fields of an entry, in the order in which they are written out. Types, canonical bytes, columns, messages between
 * threads and lines of exports all come from here.
 *
 * A new field has the next version as its `since` and needs a migration that adds its column. What was released never
 * changes: the hashes of existing entries cover it.
 */
export const ENTRY_FIELDS = [
  // With ISSUED: exactly the time inside the tokens.
  { name: 'timeMs', column: 'time_ms', type: 'time', since: 1 },
  { name: 'kind', column: 'kind', type: 'kind', since: 1 },
  { name: 'client', column: 'client', type: 'text', since: 1 },
  { name: 'destination', column: 'destination', type: 'text', since: 1 },
  { name: 'realm', column: 'realm', type: 'text', since: 1 },
  { name: 'keyVersion', column: 'key_version', type: 'uint32', since: 1 },
  { name: 'callee', column: 'callee', type: 'text', since: 1 },
  { name: 'caller', column: 'caller', type: 'text', since: 1 },
  // 32 hexadecimal digits of a keyed hash.
  { name: 'subjectHash', column: 'subject_hash', type: 'text', since: 1 },
  { name: 'reason', column: 'reason', type: 'text', since: 1 },
  { name: 'rule', column: 'rule', type: 'text', since: 1 },
  { name: 'configurationRevision', column: 'configuration_revision', type: 'uint32', since: 1 },
  { name: 'traceId', column: 'trace_id', type: 'text', since: 1 },
  { name: 'issuanceId', column: 'issuance_id', type: 'text', since: 1 },
  { name: 'expireTimeMs', column: 'expire_time_ms', type: 'time', since: 1 },
  // With ISSUED for a realm.
  { name: 'fingerprints', column: 'fingerprints', type: 'fingerprints', since: 1 },
  // With an entry that records a change of configuration, keys or freezes: its place among all changes of the store, from 1.
  { name: 'changeNumber', column: 'change_number', type: 'uint32', since: 2 },
  // 64 hexadecimal digits: the keyed hash of what was changed, as it is after the change.
  { name: 'changeHash', column: 'change_hash', type: 'text', since: 2 },
] as const satisfies readonly EntryField[];

/** The fields that a table of them describes. */
export type FieldsOf<F extends EntryField> = {
  readonly [Field in F as Field['name']]: FieldValues[Field['type']];
};

/** A field of {@link ENTRY_FIELDS}. */
export type CurrentField = (typeof ENTRY_FIELDS)[number];

/**
 * Recorded fields of an entry. Text that does not apply is empty and a number is 0, so that every entry has one canonical
 * form.
 */
export type EntryFields = FieldsOf<CurrentField>;

/** Place of an entry in a chain, and the version of its fields. */
export interface EntryPlace {
  /** Version that the entry was written with: it has the fields with `since` up to this one. */
  readonly version: number;
  readonly writerId: string;
  /** From 1, without gaps, within a writer. */
  readonly sequence: number;
}

/** Links of an entry: `hash` covers `previousHash`, the place and every field of the entry's version. */
export interface EntryLinks {
  readonly previousHash: Uint8Array;
  readonly hash: Uint8Array;
}

/** An entry in its place. */
export interface LedgerEntry extends EntryFields, EntryPlace, EntryLinks {}

/** The visitor an entry is about: in clear, for the store to hash, or as a keyed hash (32 hexadecimal digits). */
export type EntryVisitor = { readonly clear: string } | { readonly hash: string };

type AlwaysGiven = 'kind' | 'timeMs' | 'client';

/** The fields that only the store knows: it makes the change that the entry records. */
export const CHANGE_FIELDS = ['changeNumber', 'changeHash'] as const;

type ChangeField = (typeof CHANGE_FIELDS)[number];

/** The change that an entry records, as the store has made it. */
export type ChangeMark = Pick<EntryFields, ChangeField>;

/** An entry as it is handed to the store, before it has a place and before its visitor is hashed. */
export interface EntryDraft
  extends
    Pick<EntryFields, AlwaysGiven>,
    Partial<Omit<EntryFields, AlwaysGiven | ChangeField | 'subjectHash'>> {
  /** Left out where nobody was named, as every field that does not apply. */
  readonly visitor?: EntryVisitor | undefined;
}

const BLANK_VALUES = { kind: undefined, uint32: 0, time: 0, text: '', fingerprints: undefined } as const;

/** Value of a field that does not apply. */
export function blankOf({ type }: EntryField): (typeof BLANK_VALUES)[FieldType] {
  return BLANK_VALUES[type];
}

/** Every field, each blank. A copy of it has the fields in place, which is faster than to add them one by one. */
export const BLANK_FIELDS = Object.fromEntries(
  ENTRY_FIELDS.map((field) => [field.name, blankOf(field)]),
) as unknown as EntryFields;

/** Completes the fields of an entry: those that are not given are blank. */
export function entryFields(given: Partial<EntryFields> & Pick<EntryFields, AlwaysGiven>): EntryFields {
  return { ...BLANK_FIELDS, ...given };
}

/** Keyed fingerprints of the three tokens of one issue, 16 bytes each. */
export interface TokenFingerprints {
  readonly account: Uint8Array;
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/** Length of a fingerprint in bytes. */
export const FINGERPRINT_BYTES = 16;

/** Account, from and to, one after the other: 48 bytes. */
export function joinFingerprints({ account, from, to }: TokenFingerprints): Uint8Array {
  return Buffer.concat([account, from, to]);
}

/** The reverse of {@link joinFingerprints}. Bytes too many stay with the last, too few leave it short. */
export function splitFingerprints(bytes: Uint8Array): TokenFingerprints {
  return {
    account: bytes.subarray(0, FINGERPRINT_BYTES),
    from: bytes.subarray(FINGERPRINT_BYTES, 2 * FINGERPRINT_BYTES),
    to: bytes.subarray(2 * FINGERPRINT_BYTES),
  };
}
