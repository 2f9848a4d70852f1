import { hash } from 'node:crypto';
import {
  blankOf,
  FINGERPRINT_BYTES,
  kindNumber,
  type EntryField,
  type EntryPlace,
  type FieldsOf,
  type FieldType,
  type TokenFingerprints,
} from './entry.ts';

/** Canonical form of the entries that a table of fields describes; see {@link canonicalForm}. */
export interface CanonicalForm<F extends EntryField> {
  /** Computes the canonical bytes of an entry. */
  readonly bytes: (place: EntryPlace, fields: FieldsOf<F>) => Uint8Array;
  /** Computes SHA-256 of the previous hash and the canonical bytes, without a copy of them. */
  readonly hash: (previousHash: Uint8Array, place: EntryPlace, fields: FieldsOf<F>) => Uint8Array;
}

/** The names of the fields of one version by how they are written, and the fields that the version does not have. */
interface Layout {
  readonly kinds: readonly string[];
  readonly uint32s: readonly string[];
  readonly times: readonly string[];
  readonly texts: readonly string[];
  readonly fingerprints: readonly string[];
  readonly later: readonly EntryField[];
  /** Bytes at most, without those of texts. */
  readonly fixedBytes: number;
}

const TEXT_LENGTH_BYTES = 4;
const TIME_BYTES = 8;
/** Version and sequence. */
const PLACE_BYTES = 1 + 8;
/** Bytes that UTF-8 needs at most for one unit of UTF-16. */
const UTF8_BYTES = 3;
const NOTHING = new Uint8Array(0);

/**
 * The canonical bytes of entries, which their hashes cover: two entries have the same bytes only if version, place and every
 * field are the same.
 *
 * They are: version (1 byte), kind (1), the numbers (4 each), sequence (8), the times (8 each), writer and the texts, the
 * fingerprints; of each sort the fields with `since` up to the version, in the order of the table. Numbers are big-endian; a
 * text is its length in bytes (4) and its UTF-8; fingerprints are their count (1 byte) and 16 bytes each. Text that is not
 * well-formed Unicode has no form of its own.
 *
 * Throws RangeError for a version that the table does not have, for numbers that do not fit, for fingerprints that are not
 * 16 bytes, and for a value in a field that is later than the version, since no hash would cover it.
 */
export function canonicalForm<F extends EntryField>(table: readonly F[]): CanonicalForm<F> {
  const layouts: readonly Layout[] = Array.from({ length: latestVersion(table) }, (_, index) =>
    layoutOf(table, index + 1),
  );
  // Of one entry at a time. To measure each text and to allocate for each entry would take as long as to write it.
  let bytes = Buffer.alloc(1024);
  const write = (before: Uint8Array, place: EntryPlace, fields: FieldsOf<F>) => {
    const layout = layouts[place.version - 1];
    if (layout === undefined) throw new RangeError('an entry has an unknown version');
    const size = before.length + mostBytes(layout, place, fields);
    if (bytes.length < size) bytes = Buffer.alloc(2 * size);
    bytes.set(before, 0);
    return bytes.subarray(0, writeEntry(bytes, before.length, layout, place, fields));
  };
  return {
    bytes: (place, fields) => Uint8Array.from(write(NOTHING, place, fields)),
    // As text on its way: a buffer that native code makes costs more than the hash.
    hash: (previousHash, place, fields) =>
      Buffer.from(hash('sha256', write(previousHash, place, fields), 'binary'), 'latin1'),
  };
}

/** The version that new entries are written with: the latest that has a field of its own. */
export function latestVersion(table: readonly EntryField[]): number {
  return Math.max(...table.map(({ since }) => since));
}

function layoutOf(table: readonly EntryField[], version: number): Layout {
  const present = table.filter(({ since }) => since <= version);
  const named = (sort: FieldType) => present.filter(({ type }) => type === sort).map(({ name }) => name);
  const layout = {
    kinds: named('kind'),
    uint32s: named('uint32'),
    times: named('time'),
    texts: named('text'),
    fingerprints: named('fingerprints'),
    later: table.filter(({ since }) => since > version),
  };
  const { kinds, uint32s, times, texts, fingerprints } = layout;
  const fixedBytes =
    PLACE_BYTES +
    kinds.length +
    4 * uint32s.length +
    TIME_BYTES * times.length +
    TEXT_LENGTH_BYTES * (1 + texts.length) +
    (1 + 3 * FINGERPRINT_BYTES) * fingerprints.length;
  return { ...layout, fixedBytes };
}

/** Fields as they are looked up by name; their types are checked where they are written. */
type Values = Readonly<Record<string, unknown>>;

function mostBytes({ fixedBytes, texts }: Layout, { writerId }: EntryPlace, fields: object): number {
  let units = writerId.length;
  for (const name of texts) units += ((fields as Values)[name] as string).length;
  return fixedBytes + UTF8_BYTES * units;
}

/** Writes the canonical bytes from `start` and gives their end. */
function writeEntry(bytes: Buffer, start: number, layout: Layout, place: EntryPlace, fields: object): number {
  const values = fields as Values;
  for (const field of layout.later) {
    if (values[field.name] !== blankOf(field))
      throw new RangeError('an entry has a field of a later version');
  }
  let at = bytes.writeUInt8(place.version, start);
  for (const name of layout.kinds) at = bytes.writeUInt8(kindNumber(values[name] as string), at);
  for (const name of layout.uint32s) at = bytes.writeUInt32BE(whole(values[name]), at);
  at = writeUint64(bytes, place.sequence, at);
  for (const name of layout.times) at = writeUint64(bytes, values[name], at);
  at = writeText(bytes, place.writerId, at);
  for (const name of layout.texts) at = writeText(bytes, values[name] as string, at);
  for (const name of layout.fingerprints) {
    at = writeFingerprints(bytes, values[name] as TokenFingerprints | undefined, at);
  }
  return at;
}

/** The writers of Buffer cut a fraction off in silence. */
function whole(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new RangeError('a number of an entry is not whole');
  return value as number;
}

/** In two halves: a BigInt for each number would take longer than all the rest. */
function writeUint64(bytes: Buffer, value: unknown, at: number): number {
  const number = whole(value);
  return bytes.writeUInt32BE(number >>> 0, bytes.writeUInt32BE(Math.floor(number / 2 ** 32), at));
}

function writeText(bytes: Buffer, text: string, at: number): number {
  const written = text === '' ? 0 : bytes.write(text, at + TEXT_LENGTH_BYTES, 'utf8');
  return bytes.writeUInt32BE(written, at) + written;
}

function writeFingerprints(bytes: Buffer, fingerprints: TokenFingerprints | undefined, at: number): number {
  let next = bytes.writeUInt8(fingerprints ? 3 : 0, at);
  if (fingerprints === undefined) return next;
  for (const fingerprint of [fingerprints.account, fingerprints.from, fingerprints.to]) {
    if (fingerprint.length !== FINGERPRINT_BYTES) throw new RangeError('a fingerprint has the wrong length');
    bytes.set(fingerprint, next);
    next += FINGERPRINT_BYTES;
  }
  return next;
}
