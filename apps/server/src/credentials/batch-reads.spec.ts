import { describe, expect, it } from '@jest/globals';
import type { LedgerEntry } from '@callpass/domain';
import { BatchReads, type ReadBounds } from './batch-reads.ts';

const QUERY = { realm: 'r', timeMs: 1 };
const FOUND: LedgerEntry[] = [];

/** Bounded reads of a store that answers when it is told to. */
function readsOf(bounds: Partial<ReadBounds>) {
  const gate = Promise.withResolvers<LedgerEntry[]>();
  const shed = { count: 0 };
  const reads = new BatchReads(
    {
      store: { findIssued: () => gate.promise, hasRemoved: () => Promise.resolve(true) },
      onShed: () => shed.count++,
      retryAfterMs: () => 700,
    },
    { most: 100, mostOfClient: 100, maxWaitMs: 60_000, ...bounds },
  );
  const find = (client: string, count: number) =>
    reads.within(client, (store) =>
      Promise.allSettled(Array.from({ length: count }, () => store.findIssued(QUERY))),
    );
  return { reads, find, shed, answer: () => gate.resolve(FOUND) };
}

const found = { value: FOUND };
const overloaded = { reason: { reason: 'OVERLOADED', details: { retryAfterMs: 700 } } };

describe('the reads of batches of validations', () => {
  it('are refused above the bound, each by itself, and their batch is counted once', async () => {
    const { find, shed, answer } = readsOf({ most: 2 });
    const outcomes = find('c', 4);
    answer();
    expect(await outcomes).toMatchObject([found, found, overloaded, overloaded]);
    expect(shed.count).toBe(1);
    expect(await find('c', 2)).toMatchObject([found, found]);
  });

  it('of one client leave room for those of others', async () => {
    const { find, answer } = readsOf({ most: 3, mostOfClient: 2 });
    const [greedy, other] = [find('greedy', 3), find('other', 1)];
    answer();
    expect(await greedy).toMatchObject([found, found, overloaded]);
    expect(await other).toMatchObject([found]);
  });

  it('are waited for a bounded time, and keep their places until they have ended', async () => {
    const { reads, find } = readsOf({ most: 1, maxWaitMs: 20 });
    expect(await find('c', 1)).toMatchObject([
      { reason: { reason: 'STORE_UNAVAILABLE', details: { retryAfterMs: 700 } } },
    ]);
    expect(await find('c', 1)).toMatchObject([overloaded]);
    // What reads nothing is not held up by that.
    expect(await reads.within('c', () => Promise.resolve('answer'))).toBe('answer');
  });
});
