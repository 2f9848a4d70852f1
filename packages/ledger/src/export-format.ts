// An export of the ledger: JSON Lines, in UTF-8. First a header with where each chain begins and ends, then the entries, then
// the SHA-256 of all bytes before the last line. Every line has exactly one spelling, so that what is read and written again
// gives the same bytes: a change that the chain would not see, such as white space, is a fault too.
import { hash } from 'node:crypto';
import { ENTRY_TEXT_FIELDS } from './canonical.ts';
import { ENTRY_KINDS, type EntryKind, type LedgerEntry } from './entry.ts';

const FORMAT = 'callpass-ledger-export';
const VERSION = 1;

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

/** What the first line says. */
export interface ExportHeader {
  /** When the ends of the chains were read, RFC 3339 in UTC with ms. */
  readonly exportTime: string;
  readonly chains: readonly ExportedChain[];
}

/** The first line, without its end. Its last field is the SHA-256 of what it would be without that field. */
export function headerLine({ exportTime, chains }: ExportHeader): string {
  const header = {
    format: FORMAT,
    version: VERSION,
    exportTime,
    chains: chains.map(({ writerId, firstSequence, lastSequence, lastHash, anchorHash }) => {
      return { writerId, firstSequence, lastSequence, lastHash, anchorHash };
    }),
  };
  return JSON.stringify({ ...header, sha256: hash('sha256', JSON.stringify(header)) });
}

/** The line of an entry, without its end. */
export function entryLine(entry: LedgerEntry): string {
  const { fingerprints } = entry;
  return JSON.stringify({
    writerId: entry.writerId,
    sequence: entry.sequence,
    timeMs: entry.timeMs,
    kind: entry.kind,
    client: entry.client,
    destination: entry.destination,
    realm: entry.realm,
    keyVersion: entry.keyVersion,
    callee: entry.callee,
    caller: entry.caller,
    subjectHash: entry.subjectHash,
    reason: entry.reason,
    rule: entry.rule,
    configurationRevision: entry.configurationRevision,
    traceId: entry.traceId,
    issuanceId: entry.issuanceId,
    expireTimeMs: entry.expireTimeMs,
    fingerprints: fingerprints
      ? hexOf(fingerprints.account) + hexOf(fingerprints.from) + hexOf(fingerprints.to)
      : '',
    previousHash: hexOf(entry.previousHash),
    hash: hexOf(entry.hash),
  });
}

/** The last line, without its end. */
export function digestLine(sha256: string): string {
  return `${DIGEST_START}${sha256}"}`;
}

const DIGEST_START = '{"sha256":"';

/** Whether a line is, or was, the last one. */
export function isDigestLine(line: string): boolean {
  return line.startsWith(DIGEST_START);
}

/** Reads a first line. Gives what is wrong with it in its place. */
export function readHeader(line: string): ExportHeader | string {
  const value = parse(line);
  if (!isObject(value) || value['format'] !== FORMAT) return 'is not the header of a ledger export';
  if (value['version'] !== VERSION) return 'is of another version than this program reads';
  if (!isHeader(value) || headerLine(value) !== line) return 'was altered';
  const names = new Set(value.chains.map(({ writerId }) => writerId));
  return names.size === value.chains.length ? value : 'names a chain twice';
}

/** Reads the line of an entry. Gives what is wrong with it in its place; does not look at the chain. */
export function readEntry(line: string): LedgerEntry | string {
  const value = parse(line);
  if (!isObject(value)) return 'is not an entry';
  if (!hasTypes(value)) return 'has a field that is missing or none';
  const entry: LedgerEntry = {
    writerId: value.writerId,
    sequence: value.sequence,
    timeMs: value.timeMs,
    kind: value.kind as EntryKind,
    client: value.client,
    destination: value.destination,
    realm: value.realm,
    keyVersion: value.keyVersion,
    callee: value.callee,
    caller: value.caller,
    subjectHash: value.subjectHash,
    reason: value.reason,
    rule: value.rule,
    configurationRevision: value.configurationRevision,
    traceId: value.traceId,
    issuanceId: value.issuanceId,
    expireTimeMs: value.expireTimeMs,
    fingerprints: value.fingerprints === '' ? undefined : fingerprintsOf(value.fingerprints),
    previousHash: bytesOf(value.previousHash),
    hash: bytesOf(value.hash),
  };
  // This also finds digits that are none, other fields, and other spellings.
  return entryLine(entry) === line ? entry : 'is not spelled as an entry is';
}

const TEXT_FIELDS = [
  'writerId',
  'kind',
  ...ENTRY_TEXT_FIELDS,
  'fingerprints',
  'previousHash',
  'hash',
] as const;

const NUMBER_FIELDS = ['sequence', 'timeMs', 'keyVersion', 'configurationRevision', 'expireTimeMs'] as const;

type EntryFields = Record<(typeof TEXT_FIELDS)[number], string> &
  Record<(typeof NUMBER_FIELDS)[number], number>;

function hasTypes(value: Record<string, unknown>): value is EntryFields {
  for (const field of TEXT_FIELDS) {
    const text = value[field];
    // Text that is not well-formed has no bytes of its own, so the hash would not see it change.
    if (typeof text !== 'string' || !text.isWellFormed()) return false;
  }
  for (const field of NUMBER_FIELDS) if (!isCount(value[field])) return false;
  return Object.hasOwn(ENTRY_KINDS, value['kind'] as string);
}

const FINGERPRINT_BYTES = 16;

function fingerprintsOf(digits: string) {
  const bytes = bytesOf(digits);
  return {
    account: bytes.subarray(0, FINGERPRINT_BYTES),
    from: bytes.subarray(FINGERPRINT_BYTES, 2 * FINGERPRINT_BYTES),
    to: bytes.subarray(2 * FINGERPRINT_BYTES),
  };
}

function isHeader(value: object): value is ExportHeader {
  const { exportTime, chains } = value as Record<string, unknown>;
  return typeof exportTime === 'string' && Array.isArray(chains) && chains.every(isChain);
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
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
