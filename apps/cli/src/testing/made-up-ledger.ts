import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { LedgerEntry_Kind, type LedgerService } from '@callpass/contract';
import type { Handlers } from '@callpass/grpc-kit';
import { joinFingerprints, type LedgerEntry } from '@callpass/ledger';
import { chainsOf } from '@callpass/ledger/testing';

/** A LedgerService over entries, in pages as the real one gives them; `chains` is what it says of their ends. */
export function ledgerOf(
  entries: readonly LedgerEntry[],
  chains = chainsOf(entries),
): Pick<Handlers<typeof LedgerService>, 'listEntries' | 'verifyLedger'> {
  return {
    listEntries({ pageSize, pageToken }) {
      const start = Number(pageToken);
      const page = entries.slice(start, start + pageSize);
      const nextPageToken = page.length === pageSize ? String(start + pageSize) : '';
      return { entries: page.map(messageOf), nextPageToken };
    },
    verifyLedger: () => ({
      intact: true,
      entryCount: BigInt(entries.length),
      chains: chains.map(({ firstSequence, lastSequence, lastHash, anchorHash, ...rest }) => ({
        ...rest,
        firstSequence: BigInt(firstSequence),
        lastSequence: BigInt(lastSequence),
        lastHash: Buffer.from(lastHash, 'hex'),
        anchorHash: Buffer.from(anchorHash, 'hex'),
      })),
    }),
  };
}

/** The message of an entry. */
export function messageOf({ fingerprints, sequence, kind, timeMs, expireTimeMs, ...same }: LedgerEntry) {
  return {
    ...same,
    kind: LedgerEntry_Kind[kind],
    sequence: BigInt(sequence),
    time: timestampFromMs(timeMs),
    ...(expireTimeMs > 0 && { expireTime: timestampFromMs(expireTimeMs) }),
    ...(fingerprints && { tokenFingerprints: joinFingerprints(fingerprints) }),
  };
}
