import { ENTRY_KINDS, MAX_KEYED_HASH_BYTES } from '@callpass/domain';
import type { EntryDraft, EntryKind, IssuedTokens, RecordOptions, StateChange } from '@callpass/domain';
import { joinFingerprints, splitFingerprints } from '../database/entry-rows.ts';
import type { EntryRemoval } from '../database/removal.ts';

/** What happens together with an entry: a change of state, or the first step of a removal. */
export type ItemChange = StateChange | EntryRemoval;

/** One call of `record`, or the beginning of one of `removeEntries`. */
export interface RecordItem {
  readonly entry: EntryDraft;
  readonly change: ItemChange | undefined;
  readonly tokens: IssuedTokens | undefined;
  readonly subject: string | undefined;
  /** Stays on this side; see `RecordOptions`. */
  readonly onCommit?: RecordOptions['onCommit'];
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

const FINGERPRINTS_BYTES = 48;
const FINGERPRINT_BYTES = 16;
const MAX_UINT32 = 0xffff_ffff;

/** A clock that all threads of the process share. Milliseconds. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/**
 * Throws `TypeError` for an entry that has no canonical form, so that one caller's fault does not fail the commit that
 * others share.
 */
export function assertRecordable({ entry, change, tokens, subject }: RecordItem): void {
  const wholes = [entry.timeMs, entry.expireTimeMs, entry.keyVersion, entry.configurationRevision];
  const sound =
    ENTRY_KINDS[entry.kind] !== undefined &&
    wholes.every((number) => Number.isSafeInteger(number) && number >= 0) &&
    entry.keyVersion <= MAX_UINT32 &&
    entry.configurationRevision <= MAX_UINT32;
  if (!sound) throw new TypeError('an entry needs a known kind and whole numbers from 0');
  if (change?.kind === 'rememberAnswer' && `${change.client}${change.requestId}`.includes('\0')) {
    throw new TypeError('a request id and its client may not hold NUL');
  }
  if (tokens !== undefined) assertHashable(entry, tokens);
  if (
    subject !== undefined &&
    (entry.subjectHash !== '' || Buffer.byteLength(subject) > MAX_KEYED_HASH_BYTES)
  ) {
    throw new TypeError('an entry has a subject of bounded length or its hash, not both');
  }
  if (entry.fingerprints === undefined) return;
  const { account, from, to } = entry.fingerprints;
  if ([account, from, to].some((fingerprint) => fingerprint.length !== FINGERPRINT_BYTES)) {
    throw new TypeError(`a fingerprint needs ${FINGERPRINT_BYTES} bytes`);
  }
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
  items.forEach(({ entry, change, tokens, subject }, index) => {
    fields.push(
      entry.kind,
      entry.timeMs,
      text(entry.client),
      text(entry.destination),
      text(entry.realm),
      entry.keyVersion,
      text(entry.callee),
      text(entry.caller),
      text(entry.subjectHash),
      text(entry.reason),
      text(entry.rule),
      entry.configurationRevision,
      text(entry.traceId),
      text(entry.issuanceId),
      entry.expireTimeMs,
      tokens ? FROM_TOKENS : entry.fingerprints ? GIVEN : NONE,
      subject ?? '',
    );
    if (entry.fingerprints) fingerprints.push(joinFingerprints(entry.fingerprints));
    if (tokens) flatTokens.push(tokens.account, tokens.from, tokens.to);
    if (change) changes.push([index, change]);
  });
  return { deadlineMs, fields, fingerprints: Buffer.concat(fingerprints), tokens: flatTokens, changes };
}

/** How large a batch is, about: its texts as characters, its numbers as 8 bytes each. */
export function batchBytes({ fields, tokens, fingerprints }: WireBatch): number {
  let bytes = fingerprints.byteLength;
  for (const field of fields) bytes += typeof field === 'string' ? field.length : 8;
  for (const token of tokens) bytes += token.length;
  return bytes;
}

/** Where the fingerprints of an entry are: the last of its fields. */
const NONE = 0;
const GIVEN = 1;
const FROM_TOKENS = 2;

const FIELDS_PER_ENTRY = 17;

/** The reverse of {@link encodeBatch}. */
export function decodeBatch(batch: WireBatch): RecordItem[] {
  const items: RecordItem[] = [];
  const changes = new Map(batch.changes);
  let fingerprintsAt = 0;
  let tokensAt = 0;
  for (let at = 0; at < batch.fields.length; at += FIELDS_PER_ENTRY) {
    const field = <T>(offset: number): T => batch.fields[at + offset] as T;
    const hasFingerprints = field<number>(15) === GIVEN;
    const tokens = field<number>(15) === FROM_TOKENS ? tokensFrom(batch.tokens, tokensAt) : undefined;
    if (tokens) tokensAt += 3;
    const entry: EntryDraft = {
      kind: field<EntryKind>(0),
      timeMs: field(1),
      client: field(2),
      destination: field(3),
      realm: field(4),
      keyVersion: field(5),
      callee: field(6),
      caller: field(7),
      subjectHash: field(8),
      reason: field(9),
      rule: field(10),
      configurationRevision: field(11),
      traceId: field(12),
      issuanceId: field(13),
      expireTimeMs: field(14),
      fingerprints: hasFingerprints
        ? splitFingerprints(batch.fingerprints.subarray(fingerprintsAt, fingerprintsAt + FINGERPRINTS_BYTES))
        : undefined,
    };
    if (hasFingerprints) fingerprintsAt += FINGERPRINTS_BYTES;
    items.push({ entry, change: changes.get(items.length), tokens, subject: field<string>(16) || undefined });
  }
  return items;
}

function tokensFrom(tokens: readonly string[], at: number): IssuedTokens {
  const [account, from, to] = tokens.slice(at, at + 3) as [string, string, string];
  return { account, from, to };
}

/**
 * What is hashed is what every database gives back: PostgreSQL has no NUL in text, and text that is not well-formed has
 * no UTF-8. Both become U+FFFD.
 */
function text(value: string): string {
  const wellFormed = value.isWellFormed() ? value : value.toWellFormed();
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\uFFFD') : wellFormed;
}
