import {
  BLANK_FIELDS,
  ENTRY_FIELDS,
  joinFingerprints,
  splitFingerprints,
  type LedgerEntry,
} from '@callpass/ledger';

/**
 * Entries on their way from the thread: the fields of all in one flat list and their bytes in one buffer, since a message
 * takes far longer for a few small buffers an entry than for the rest of it. Lengths go along: an altered row may hold bytes
 * of any length, and must arrive as altered as it is.
 */
export interface WireEntries {
  readonly fields: readonly (string | number)[];
  readonly bytes: Uint8Array;
}

/** A page of a list. */
export interface WirePage {
  readonly positions: readonly number[];
  readonly entries: WireEntries;
}

/** The fields that are not bytes, in the order in which they are sent. */
const NAMES = [
  'version',
  'writerId',
  'sequence',
  ...ENTRY_FIELDS.map(({ name }) => name).filter((name) => name !== 'fingerprints'),
] as const;

const BLANK_ENTRY: LedgerEntry = {
  ...BLANK_FIELDS,
  version: 0,
  writerId: '',
  sequence: 0,
  previousHash: new Uint8Array(),
  hash: new Uint8Array(),
};

/** In the place of a length. */
const NO_FINGERPRINTS = -1;

/** Entries as a message. */
export function encodeEntries(entries: readonly LedgerEntry[]): WireEntries {
  const fields: (string | number)[] = [];
  const chunks: Uint8Array[] = [];
  for (const entry of entries) {
    const { fingerprints, previousHash, hash } = entry;
    for (const name of NAMES) fields.push(entry[name]);
    const joined = fingerprints && joinFingerprints(fingerprints);
    fields.push(joined?.length ?? NO_FINGERPRINTS, previousHash.length, hash.length);
    if (joined) chunks.push(joined);
    chunks.push(previousHash, hash);
  }
  return { fields, bytes: Buffer.concat(chunks) };
}

/** The reverse of {@link encodeEntries}. The bytes of all entries share one buffer. */
export function decodeEntries({ fields, bytes }: WireEntries): LedgerEntry[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let bytesAt = 0;
  const take = (length: number): Buffer => buffer.subarray(bytesAt, (bytesAt += length));
  const entries: LedgerEntry[] = [];
  for (let at = 0; at < fields.length;) {
    const entry: Record<string, unknown> = { ...BLANK_ENTRY };
    for (const name of NAMES) entry[name] = fields[at++];
    const lengths = [fields[at++], fields[at++], fields[at++]] as [number, number, number];
    entry['fingerprints'] = lengths[0] === NO_FINGERPRINTS ? undefined : splitFingerprints(take(lengths[0]));
    entry['previousHash'] = take(lengths[1]);
    entry['hash'] = take(lengths[2]);
    entries.push(entry as unknown as LedgerEntry);
  }
  return entries;
}
