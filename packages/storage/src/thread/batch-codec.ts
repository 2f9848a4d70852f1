import { MAX_KEYED_HASH_BYTES } from '@callpass/domain';
import type { IssuedTokens, KeyedHash, RecordOptions, StateChange } from '@callpass/domain';
import {
  BLANK_FIELDS,
  CHANGE_FIELDS,
  ENTRY_FIELDS,
  ENTRY_KINDS,
  FINGERPRINT_BYTES,
  joinFingerprints,
  splitFingerprints,
  type CurrentField,
  type EntryDraft,
  type EntryFields,
  type EntryKind,
} from '@callpass/ledger';
import type { EntryRemoval } from '../database/removal.ts';

/** Change that goes into the store with an entry: a change of state, or the first step of a removal. */
export type ItemChange = StateChange | EntryRemoval;

/** Call of `record`, or the beginning of one of `removeEntries`. */
export interface RecordItem {
  readonly entry: EntryDraft;
  readonly change: ItemChange | undefined;
  readonly tokens: IssuedTokens | undefined;
  /** Stays on this side; see `RecordOptions`. */
  readonly onCommit?: RecordOptions['onCommit'];
}

/** A record as the thread commits it: visitor and tokens are hashed. */
export interface CommitItem {
  readonly entry: EntryFields;
  readonly change: ItemChange | undefined;
}

/**
 * The records of one commit on their way to the thread: the fields of all entries in one flat list and their
 * fingerprints in one buffer, which costs the sender a fraction of what an object for each would.
 */
export interface WireBatch {
  /** On the clock of `monotonicMs`: nothing is written after it, since the callers have been told so. */
  readonly deadlineMs: number;
  readonly fields: readonly (string | number)[];
  readonly fingerprints: Uint8Array;
  /** Account, from and to of each entry that has tokens. */
  readonly tokens: readonly string[];
  /** With the index of its entry. */
  readonly changes: readonly (readonly [index: number, change: ItemChange])[];
}

/** A field that the thread sets: what it hashes, and what only the transaction of a change knows. */
type FieldOfThread = { name: 'subjectHash' | (typeof CHANGE_FIELDS)[number] };

const FIELDS_OF_THREAD: readonly string[] = ['subjectHash', ...CHANGE_FIELDS];

const SENT = ENTRY_FIELDS.filter(
  (field): field is Exclude<CurrentField, FieldOfThread> => !FIELDS_OF_THREAD.includes(field.name),
);

/** The names of the fields that go to the thread as they are. */
const NUMBERS = SENT.filter((field) => field.type === 'uint32' || field.type === 'time');
const TEXTS = SENT.filter((field) => field.type === 'text').map(({ name }) => name);

/** Behind the fields of each entry: its visitor in clear, its visitor hashed, the source of its fingerprints. */
const FINGERPRINTS = { none: 0, given: 1, ofTokens: 2 } as const;

const FINGERPRINTS_BYTES = 3 * FINGERPRINT_BYTES;
const MAX_UINT32 = 0xffff_ffff;

/** A clock that all threads of the process share. Milliseconds. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/**
 * Throws `TypeError` for an entry that has no canonical form, so that one caller's fault does not fail the commit that
 * others share.
 */
export function assertRecordable({ entry, change, tokens }: RecordItem): void {
  if (!isSound(entry)) throw new TypeError('an entry needs a known kind and whole numbers from 0');
  if (change?.kind === 'rememberAnswer' && `${change.client}${change.requestId}`.includes('\0')) {
    throw new TypeError('a request id and its client may not hold NUL');
  }
  if (tokens !== undefined) assertHashable(entry, tokens);
  const { visitor, fingerprints } = entry;
  if (visitor && 'clear' in visitor && Buffer.byteLength(visitor.clear) > MAX_KEYED_HASH_BYTES) {
    throw new TypeError(`a visitor has at most ${MAX_KEYED_HASH_BYTES} bytes`);
  }
  if (fingerprints === undefined) return;
  const { account, from, to } = fingerprints;
  if ([account, from, to].some((fingerprint) => fingerprint.length !== FINGERPRINT_BYTES)) {
    throw new TypeError(`a fingerprint needs ${FINGERPRINT_BYTES} bytes`);
  }
}

function isSound(entry: EntryDraft): boolean {
  for (const { name, type } of NUMBERS) {
    const value = entry[name] ?? 0;
    if (!Number.isSafeInteger(value) || value < 0 || (type === 'uint32' && value > MAX_UINT32)) return false;
  }
  return ENTRY_KINDS[entry.kind] !== undefined;
}

function assertHashable(entry: EntryDraft, { account, from, to }: IssuedTokens): void {
  if (entry.fingerprints !== undefined) throw new TypeError('an entry has tokens or fingerprints, not both');
  if ([account, from, to].some((token) => Buffer.byteLength(token) > MAX_KEYED_HASH_BYTES)) {
    throw new TypeError(`a token has at most ${MAX_KEYED_HASH_BYTES} bytes`);
  }
}

/** The records as a message. The entries must be recordable. */
export function encodeBatch(items: readonly RecordItem[], deadlineMs: number): WireBatch {
  const fields: (string | number)[] = [];
  const changes: [number, ItemChange][] = [];
  const fingerprints: Uint8Array[] = [];
  const flatTokens: string[] = [];
  items.forEach(({ entry, change, tokens }, index) => {
    fields.push(entry.kind);
    for (const { name } of NUMBERS) fields.push(entry[name] ?? 0);
    for (const name of TEXTS) fields.push(entry[name] ?? '');
    const { visitor } = entry;
    fields.push(
      visitor && 'clear' in visitor ? visitor.clear : '',
      visitor && 'hash' in visitor ? visitor.hash : '',
      tokens ? FINGERPRINTS.ofTokens : entry.fingerprints ? FINGERPRINTS.given : FINGERPRINTS.none,
    );
    if (entry.fingerprints) fingerprints.push(joinFingerprints(entry.fingerprints));
    if (tokens) flatTokens.push(tokens.account, tokens.from, tokens.to);
    if (change) changes.push([index, change]);
  });
  return { deadlineMs, fields, fingerprints: Buffer.concat(fingerprints), tokens: flatTokens, changes };
}

/** Size of a batch in bytes, about: its texts as characters, its numbers as 8 bytes each. */
export function batchBytes({ fields, tokens, fingerprints }: WireBatch): number {
  let bytes = fingerprints.byteLength;
  for (const field of fields) bytes += typeof field === 'string' ? field.length : 8;
  for (const token of tokens) bytes += token.length;
  return bytes;
}

/** Reads what {@link encodeBatch} wrote, and hashes the visitors and tokens that are in clear. */
export function decodeBatch(batch: WireBatch, keyedHash: KeyedHash): CommitItem[] {
  const items: CommitItem[] = [];
  const changes = new Map(batch.changes);
  let fingerprintsAt = 0;
  let tokensAt = 0;
  const fingerprintsFrom = (source: number) => {
    if (source === FINGERPRINTS.none) return undefined;
    if (source === FINGERPRINTS.ofTokens)
      return keyedHash.tokens(tokensFrom(batch.tokens, (tokensAt += 3) - 3));
    return splitFingerprints(
      batch.fingerprints.subarray(fingerprintsAt, (fingerprintsAt += FINGERPRINTS_BYTES)),
    );
  };
  const { fields } = batch;
  for (let at = 0; at < fields.length;) {
    const entry: { -readonly [Name in keyof EntryFields]: EntryFields[Name] } = { ...BLANK_FIELDS };
    entry.kind = fields[at++] as EntryKind;
    for (const { name } of NUMBERS) entry[name] = fields[at++] as number;
    for (const name of TEXTS) entry[name] = storable(fields[at++] as string);
    const [clear, hash, source] = [fields[at++], fields[at++], fields[at++]] as [string, string, number];
    entry.subjectHash = clear === '' ? storable(hash) : keyedHash.subject(clear);
    entry.fingerprints = fingerprintsFrom(source);
    items.push({ entry, change: changes.get(items.length) });
  }
  return items;
}

function tokensFrom(tokens: readonly string[], at: number): IssuedTokens {
  const [account, from, to] = tokens.slice(at, at + 3) as [string, string, string];
  return { account, from, to };
}

/**
 * Replaces what a database would not give back, before it is hashed: PostgreSQL has no NUL in text, and text that is not well-formed has
 * no UTF-8. Both become U+FFFD.
 */
function storable(value: string): string {
  if (value === '') return value;
  const wellFormed = value.isWellFormed() ? value : value.toWellFormed();
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\uFFFD') : wellFormed;
}
