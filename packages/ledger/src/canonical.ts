import { ENTRY_KINDS, type EntryDraft } from './entry.ts';

/** Version of the canonical form. A change of fields or order needs a new number and a reader for the old one. */
const CANONICAL_VERSION = 1;

/** The fields of an entry that are text. Their order is part of the canonical form. */
export const ENTRY_TEXT_FIELDS = [
  'client',
  'destination',
  'realm',
  'callee',
  'caller',
  'subjectHash',
  'reason',
  'rule',
  'traceId',
  'issuanceId',
] as const satisfies readonly (keyof EntryDraft)[];

const FINGERPRINT_BYTES = 16;
/** version, kind, key version, configuration revision, sequence, time, expire time, count of fingerprints. */
const FIXED_BYTES = 1 + 1 + 4 + 4 + 8 + 8 + 8 + 1;
const TEXT_LENGTH_BYTES = 4;

/**
 * The bytes an entry's hash covers: two entries have the same bytes only if every field is the same.
 *
 * Numbers are big-endian of a fixed width; a text is its length in bytes (4) and its UTF-8. Text that is not well-formed
 * Unicode has no form of its own. Throws RangeError for numbers that do not fit and fingerprints that are not 16 bytes.
 */
export function canonicalBytes(writerId: string, sequence: number, entry: EntryDraft): Uint8Array {
  const texts = [writerId, ...ENTRY_TEXT_FIELDS.map((field) => entry[field])];
  const fingerprints = entry.fingerprints;
  let size = FIXED_BYTES + (fingerprints ? 3 * FINGERPRINT_BYTES : 0);
  for (const text of texts) size += TEXT_LENGTH_BYTES + Buffer.byteLength(text);

  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.writeUInt8(CANONICAL_VERSION, 0);
  at = bytes.writeUInt8(whole(ENTRY_KINDS[entry.kind]), at);
  at = bytes.writeUInt32BE(whole(entry.keyVersion), at);
  at = bytes.writeUInt32BE(whole(entry.configurationRevision), at);
  at = bytes.writeBigUInt64BE(BigInt(sequence), at);
  at = bytes.writeBigUInt64BE(BigInt(entry.timeMs), at);
  at = bytes.writeBigUInt64BE(BigInt(entry.expireTimeMs), at);
  for (const text of texts) {
    const written = bytes.write(text, at + TEXT_LENGTH_BYTES, 'utf8');
    bytes.writeUInt32BE(written, at);
    at += TEXT_LENGTH_BYTES + written;
  }
  at = bytes.writeUInt8(fingerprints ? 3 : 0, at);
  if (fingerprints) {
    for (const fingerprint of [fingerprints.account, fingerprints.from, fingerprints.to]) {
      if (fingerprint.length !== FINGERPRINT_BYTES)
        throw new RangeError('a fingerprint has the wrong length');
      bytes.set(fingerprint, at);
      at += FINGERPRINT_BYTES;
    }
  }
  return bytes;
}

/** The writers of Buffer cut a fraction off in silence. */
function whole(value: number): number {
  if (!Number.isInteger(value)) throw new RangeError('a number of an entry is not whole');
  return value;
}
