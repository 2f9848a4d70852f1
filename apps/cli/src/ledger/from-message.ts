import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type LedgerEntry as EntryMessage, LedgerEntry_Kind } from '@callpass/contract';
import type { EntryKind, LedgerEntry } from '@callpass/ledger';

const FINGERPRINT_BYTES = 16;

const KINDS = Object.fromEntries(
  Object.entries(LedgerEntry_Kind).map(([name, number]) => [number, name]),
) as Readonly<Record<LedgerEntry_Kind, EntryKind>>;

/** The entry of a message. What the message has no true value for does not verify. */
export function entryOf(message: EntryMessage): LedgerEntry {
  const { time, kind, expireTime, sequence, tokenFingerprints } = message;
  return {
    writerId: message.writerId,
    sequence: Number(sequence),
    timeMs: time ? timestampMs(time) : 0,
    kind: KINDS[kind] as EntryKind,
    client: message.client,
    destination: message.destination,
    realm: message.realm,
    keyVersion: message.keyVersion,
    callee: message.callee,
    caller: message.caller,
    subjectHash: message.subjectHash,
    reason: message.reason,
    rule: message.rule,
    configurationRevision: message.configurationRevision,
    traceId: message.traceId,
    issuanceId: message.issuanceId,
    expireTimeMs: expireTime ? timestampMs(expireTime) : 0,
    fingerprints: tokenFingerprints.length === 0 ? undefined : partsOf(tokenFingerprints),
    previousHash: message.previousHash,
    hash: message.hash,
  };
}

function partsOf(bytes: Uint8Array) {
  return {
    account: bytes.subarray(0, FINGERPRINT_BYTES),
    from: bytes.subarray(FINGERPRINT_BYTES, 2 * FINGERPRINT_BYTES),
    to: bytes.subarray(2 * FINGERPRINT_BYTES),
  };
}
