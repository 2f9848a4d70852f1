import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type LedgerEntry as EntryMessage, LedgerEntry_Kind } from '@callpass/contract';
import { type EntryKind, type LedgerEntry, splitFingerprints } from '@callpass/ledger';

const KINDS = Object.fromEntries(
  Object.entries(LedgerEntry_Kind).map(([name, number]) => [number, name]),
) as Readonly<Record<LedgerEntry_Kind, EntryKind>>;

/** The entry of a message. What the message has no true value for does not verify. */
export function entryOf(message: EntryMessage): LedgerEntry {
  const { time, expireTime, kind, sequence, version, tokenFingerprints, ...rest } = message;
  const { $typeName: _type, $unknown: _unknown, ...same } = rest;
  return {
    ...same,
    // A service from before entries had versions leaves it out.
    version: version || 1,
    sequence: Number(sequence),
    timeMs: time ? timestampMs(time) : 0,
    kind: KINDS[kind] as EntryKind,
    expireTimeMs: expireTime ? timestampMs(expireTime) : 0,
    fingerprints: tokenFingerprints.length === 0 ? undefined : splitFingerprints(tokenFingerprints),
  };
}
