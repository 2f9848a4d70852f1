import { hash } from 'node:crypto';
import { canonicalBytes } from './canonical.ts';
import type { EntryDraft, LedgerEntry } from './entry.ts';

/** The hash before the first entry of a chain. */
export const GENESIS_HASH: Uint8Array = new Uint8Array(32);

/** The end of a chain: what the next entry is linked to. */
export interface ChainHead {
  readonly writerId: string;
  /** Sequence of the last entry; 0 for a chain without one. */
  readonly sequence: number;
  readonly hash: Uint8Array;
}

/** A chain that nothing was written to yet. */
export function newChain(writerId: string): ChainHead {
  return { writerId, sequence: 0, hash: GENESIS_HASH };
}

/** The entry that follows `head`. The new head is the entry itself. */
export function linkEntry(head: ChainHead, draft: EntryDraft): LedgerEntry {
  const sequence = head.sequence + 1;
  return {
    ...draft,
    writerId: head.writerId,
    sequence,
    previousHash: head.hash,
    hash: entryHash(head.hash, canonicalBytes(head.writerId, sequence, draft)),
  };
}

/** What is wrong with an entry that should follow `head`; `undefined` when it does. */
export function faultOf(head: ChainHead, entry: LedgerEntry): string | undefined {
  if (entry.writerId !== head.writerId) return 'belongs to another chain';
  if (entry.sequence !== head.sequence + 1) return `entry ${head.sequence + 1} is missing`;
  if (!equalBytes(entry.previousHash, head.hash)) return 'does not follow the entry before it';
  return hashHolds(entry) ? undefined : 'was altered';
}

function hashHolds(entry: LedgerEntry): boolean {
  try {
    const canonical = canonicalBytes(entry.writerId, entry.sequence, entry);
    return equalBytes(entry.hash, entryHash(entry.previousHash, canonical));
  } catch {
    // What was put in place of the true value has no canonical form.
    return false;
  }
}

function entryHash(previousHash: Uint8Array, canonical: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([previousHash, canonical]), 'buffer');
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
