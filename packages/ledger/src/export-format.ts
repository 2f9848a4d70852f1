// An export of the ledger: JSON Lines, in UTF-8. First a header with the anchor and the head of each chain, then the entries, then
// the SHA-256 of all bytes before the last line. Every line has exactly one spelling, so that what is read and written again
// gives the same bytes: a change that the chain would not see, such as white space, is a fault too.
import { hash } from 'node:crypto';
import { latestVersion } from './canonical.ts';
import type { ChainedEntry } from './chain.ts';
import {
  blankOf,
  ENTRY_FIELDS,
  ENTRY_KINDS,
  joinFingerprints,
  splitFingerprints,
  type CurrentField,
  type EntryField,
  type FieldType,
  type TokenFingerprints,
} from './entry.ts';

const FORMAT = 'callpass-ledger-export';

/**
 * Versions of the format. In version 1 the lines of entries do not say the entry's version, which is 1. From version 3 on the
 * header has the keyed proof of the heads. Another version of the entries does not need another one of the format: each line
 * has the fields of its entry's version.
 */
export type ExportVersion = 1 | 2 | 3;

/** The version that exports are written in. */
export const EXPORT_VERSION: ExportVersion = 3;

const EXPORT_VERSIONS: readonly unknown[] = [1, 2, EXPORT_VERSION];

/** The part of a chain that an export holds. Hashes are 64 lower-case hexadecimal digits. */
export interface ExportedChain {
  readonly writerId: string;
  /** Place of the first entry; one more than `lastSequence` for a chain without entries. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Hash of the entry at `lastSequence`. */
  readonly lastHash: string;
  /** Hash of the entry before the first; zeros where there was none. */
  readonly anchorHash: string;
}

/** The first line. */
export interface ExportHeader {
  readonly version: ExportVersion;
  /** Time at which the heads of the chains were read, RFC 3339 in UTC with ms. */
  readonly exportTime: string;
  readonly chains: readonly ExportedChain[];
  /** From version 3 on: what makes time and chains an anchor. */
  readonly proof?: HeadsProof | undefined;
}

/** Store that chains are of, how far it was, and the keyed proof of it; see `LedgerAnchor`. */
export interface HeadsProof {
  readonly storeId: string;
  readonly changeCount: number;
  readonly chainCount: number;
  readonly proof: string;
}

/** The first line, without its end. Its last field is the SHA-256 of what it would be without that field. */
export function headerLine({ version, exportTime, chains, proof }: ExportHeader): string {
  const header = {
    format: FORMAT,
    version,
    exportTime,
    ...(proof && {
      storeId: proof.storeId,
      changeCount: proof.changeCount,
      chainCount: proof.chainCount,
      proof: proof.proof,
    }),
    chains: chains.map(({ writerId, firstSequence, lastSequence, lastHash, anchorHash }) => {
      return { writerId, firstSequence, lastSequence, lastHash, anchorHash };
    }),
  };
  return JSON.stringify({ ...header, sha256: hash('sha256', JSON.stringify(header)) });
}

/** The last line, without its end. */
export function digestLine(sha256: string): string {
  return `${DIGEST_START}${sha256}"}`;
}

const DIGEST_START = '{"sha256":"';

/** Tells whether a line is, or was, the last one. */
export function isDigestLine(line: string): boolean {
  return line.startsWith(DIGEST_START);
}

/** Reads a first line. Gives the fault of one that is not as it was written. */
export function readHeader(line: string): ExportHeader | string {
  const value = parse(line);
  if (!isObject(value) || value['format'] !== FORMAT) return 'is not the header of a ledger export';
  if (!EXPORT_VERSIONS.includes(value['version'])) return 'is of another version than this program reads';
  const header = headerOf(value);
  if (header === undefined || headerLine(header) !== line) return 'was altered';
  const names = new Set(header.chains.map(({ writerId }) => writerId));
  return names.size === header.chains.length ? header : 'names a chain twice';
}

/** The lines of entries with the fields of a table. */
export interface EntryLines<F extends EntryField> {
  /** Writes the line of an entry, without its end. */
  readonly entryLine: (entry: ChainedEntry<F>) => string;
  /** Reads the line of an entry. Gives the fault of one that no entry is written as; does not look at the chain. */
  readonly readEntry: (line: string, format?: ExportVersion) => ChainedEntry<F> | string;
}

/** Writes and reads the lines of entries with the fields of a table. */
export function entryLines<F extends EntryField>(table: readonly F[]): EntryLines<F> {
  const versions = Array.from({ length: latestVersion(table) }, (_, index) => {
    const fields = table.filter(({ since }) => since <= index + 1);
    const named = Object.fromEntries(fields.map(({ name }) => [name, '']));
    // Copied for each line: the names are in their order, and to set them is faster than to add them.
    const blankLine: Json = { writerId: '', sequence: 0, version: 0, ...named, previousHash: '', hash: '' };
    return { fields, blankLine };
  });
  const blankFields = Object.fromEntries(table.map((field) => [field.name, blankOf(field)]));
  const blankEntry: Json = {
    ...blankFields,
    writerId: '',
    sequence: 0,
    version: 0,
    previousHash: '',
    hash: '',
  };

  const spell = (entry: ChainedEntry<F>, format: ExportVersion): string => {
    const layout = versions[entry.version - 1];
    if (layout === undefined) throw new RangeError('an entry has an unknown version');
    const line = { ...layout.blankLine };
    line['writerId'] = entry.writerId;
    line['sequence'] = entry.sequence;
    line['version'] = format === 1 ? undefined : entry.version;
    for (const { name, type } of layout.fields) {
      const value = (entry as Json)[name];
      line[name] = type === 'fingerprints' ? hexOfFingerprints(value as Fingerprints) : value;
    }
    line['previousHash'] = hexOf(entry.previousHash);
    line['hash'] = hexOf(entry.hash);
    return JSON.stringify(line);
  };

  return {
    entryLine: (entry) => spell(entry, EXPORT_VERSION),
    readEntry(line, format = EXPORT_VERSION) {
      const value = parse(line);
      if (!isObject(value)) return 'is not an entry';
      const version = format === 1 ? 1 : value['version'];
      const { writerId, sequence, previousHash, hash } = value;
      const isPlaced = isCount(version) && isText(writerId) && isCount(sequence);
      if (!isPlaced || !isText(previousHash) || !isText(hash)) return MISSING;
      const layout = versions[version - 1];
      if (layout === undefined) return 'is of another version than this program reads';
      const entry = { ...blankEntry };
      for (const { name, type } of layout.fields) {
        const written = value[name];
        if (!isWritten[type](written)) return MISSING;
        entry[name] = type === 'fingerprints' ? fingerprintsOf(written as string) : written;
      }
      entry['writerId'] = writerId;
      entry['sequence'] = sequence;
      entry['version'] = version;
      entry['previousHash'] = bytesOf(previousHash);
      entry['hash'] = bytesOf(hash);
      const read = entry as unknown as ChainedEntry<F>;
      // This also finds digits that are none, other fields, and other spellings.
      return spell(read, format) === line ? read : 'is not spelled as an entry is';
    },
  };
}

/** The lines of today's entries. */
export const { entryLine, readEntry }: EntryLines<CurrentField> = entryLines<CurrentField>(ENTRY_FIELDS);

const MISSING = 'has a field that is missing or none';

type Json = Record<string, unknown>;
type Fingerprints = TokenFingerprints | undefined;

/** Tells whether a value of a line is one that a field of a type is written as. */
const isWritten: Readonly<Record<FieldType, (value: unknown) => boolean>> = {
  kind: (value) => isText(value) && Object.hasOwn(ENTRY_KINDS, value),
  uint32: isCount,
  time: isCount,
  text: isText,
  fingerprints: isText,
};

function hexOfFingerprints(fingerprints: Fingerprints): string {
  return fingerprints === undefined ? '' : hexOf(joinFingerprints(fingerprints));
}

function fingerprintsOf(digits: string): Fingerprints {
  return digits === '' ? undefined : splitFingerprints(bytesOf(digits));
}

function headerOf(value: Json): ExportHeader | undefined {
  const { version, exportTime, chains } = value;
  if (!isText(exportTime) || !Array.isArray(chains) || !chains.every(isChain)) return undefined;
  const header = { version: version as ExportVersion, exportTime, chains };
  if (header.version < 3) return header;
  const { storeId, changeCount, chainCount, proof } = value;
  return isText(storeId) && isCount(changeCount) && isCount(chainCount) && isHash(proof)
    ? { ...header, proof: { storeId, changeCount, chainCount, proof } }
    : undefined;
}

function isChain(value: unknown): value is ExportedChain {
  if (!isObject(value)) return false;
  const { writerId, firstSequence, lastSequence, lastHash, anchorHash } = value;
  return (
    typeof writerId === 'string' &&
    isCount(firstSequence) &&
    isCount(lastSequence) &&
    firstSequence >= 1 &&
    lastSequence >= firstSequence - 1 &&
    isHash(lastHash) &&
    isHash(anchorHash)
  );
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

/** Text that is not well-formed has no bytes of its own, so the hash would not see it change. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed();
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const HASH_DIGITS = /^[0-9a-f]{64}$/;

function isHash(value: unknown): value is string {
  return typeof value === 'string' && HASH_DIGITS.test(value);
}

/** Lower-case hexadecimal digits of bytes. */
export function hexOf(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('hex');
}

/** The bytes of hexadecimal digits, up to the first that is none. */
export function bytesOf(digits: string): Uint8Array {
  return Buffer.from(digits, 'hex');
}
