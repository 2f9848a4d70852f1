import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { LedgerEntry_Kind, type LedgerService } from '@callpass/contract';
import type { Handlers } from '@callpass/grpc-kit';
import { joinFingerprints, type LedgerEntry } from '@callpass/ledger';
import { chainsOf } from '@callpass/ledger/testing';
import { messageOf as messageOfAnchor } from '../ledger/anchor-file.ts';

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
      chains: anchorOf(entries, chains).chains ?? [],
    }),
  };
}

/** The anchor of a ledger that holds just these entries, as a service would send it. */
export function anchorOf(entries: readonly LedgerEntry[], chains = chainsOf(entries)) {
  const time = '2026-11-25T11:00:00.000Z';
  const proof = 'ab'.repeat(32);
  return messageOfAnchor({
    storeId: '00'.repeat(16),
    time,
    changeCount: 0,
    chainCount: chains.length,
    chains,
    proof,
  });
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
