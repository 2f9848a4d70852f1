import { describe, expect, it } from '@jest/globals';
import { linkEntry, newChain, type ChainHead } from './chain.ts';
import { entryFields, type LedgerEntry } from './entry.ts';
import type { ChainRecord, LedgerStore } from './ledger-store.ts';
import { verifyLedger } from './verify.ts';

const COUNT = 5000;

function chainOf(writerId: string, count = COUNT): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  let head: ChainHead = newChain(writerId);
  for (let i = 0; i < count; i++) {
    const entry = linkEntry(head, entryFields({ kind: 'ISSUED', timeMs: 1000 + i, client: 'web' }));
    entries.push(entry);
    head = entry;
  }
  return entries;
}

function storeOf(
  chains: Record<string, LedgerEntry[]>,
  change: (record: ChainRecord) => ChainRecord = (record) => record,
): Pick<LedgerStore, 'listChains' | 'readChain'> {
  const records = Object.entries(chains).map(([writerId, entries], index) =>
    change({
      writerId,
      number: index + 1,
      anchor: newChain(writerId),
      head: entries.at(-1) ?? newChain(writerId),
      genuine: true,
    }),
  );
  return {
    listChains: async () => records,
    readChain: async ({ writerId, afterSequence, limit }) =>
      (chains[writerId] ?? []).filter(({ sequence }) => sequence > afterSequence).slice(0, limit),
  };
}

const good = chainOf('a');

describe('verifyLedger', () => {
  it('finds intact chains intact, and counts what it read', async () => {
    const found = await verifyLedger(storeOf({ a: good, b: chainOf('b', 3), empty: [] }));
    expect(found).toMatchObject({ entryCount: COUNT + 3, faults: [] });
    expect(found.chains).toHaveLength(3);
  });

  it.each([
    [
      'an altered entry',
      good.with(2999, { ...(good[2999] as LedgerEntry), callee: 'x@y.example' }),
      3000,
      'was altered',
    ],
    ['a removed entry', good.toSpliced(2999, 1), 3000, 'entry 3000 is missing'],
    ['a cut end', good.slice(0, -2), COUNT - 1, `entry ${COUNT - 1} is missing`],
    [
      'an entry behind the end',
      [...good, linkEntry(good.at(-1) as LedgerEntry, good[0] as LedgerEntry)],
      COUNT + 1,
      'behind the recorded end',
    ],
  ])('finds %s and places it', async (_, entries, sequence, text) => {
    const found = await verifyLedger(
      storeOf({ a: entries }, (record) => ({ ...record, head: good.at(-1) as LedgerEntry })),
    );
    expect(found.faults).toEqual([{ writerId: 'a', sequence, text: expect.stringContaining(text) }]);
  });

  it('finds a chain that was computed anew', async () => {
    const forged = chainOf('a', 10).map((entry) => entry);
    const found = await verifyLedger(
      storeOf({ a: forged }, (record) => ({ ...record, head: { ...record.head, hash: new Uint8Array(32) } })),
    );
    expect(found.faults[0]?.text).toContain('does not end as it was recorded');
  });

  it('finds a recorded end that somebody else wrote, and a chain that is gone as a whole', async () => {
    expect(
      (await verifyLedger(storeOf({ a: good }, (record) => ({ ...record, genuine: false })))).faults,
    ).toHaveLength(1);
    const second = storeOf({ b: chainOf('b', 2) }, (record) => ({ ...record, number: 2 }));
    expect((await verifyLedger(second)).faults[0]).toMatchObject({ text: 'the chain is missing as a whole' });
  });

  it('begins at the anchor that retention left', async () => {
    const anchor = good[99] as LedgerEntry;
    const kept = storeOf({ a: good.slice(100) }, (record) => ({ ...record, anchor }));
    expect(await verifyLedger(kept)).toMatchObject({ entryCount: COUNT - 100, faults: [] });
  });

  it('does not take what is written meanwhile for forged', async () => {
    const records = [good.slice(0, 3), good].map((entries) => storeOf({ a: entries }).listChains());
    const growing = {
      ...storeOf({ a: good }),
      listChains: () => records.shift() ?? storeOf({ a: good }).listChains(),
    };
    expect(await verifyLedger(growing)).toMatchObject({ entryCount: 3, faults: [] });
  });

  it('does not miss what retention removes meanwhile, but does miss what is gone behind the anchor', async () => {
    const anchored = (entries: LedgerEntry[]) => {
      const kept = storeOf({ a: entries }, (record) => ({ ...record, anchor: good[99] as LedgerEntry }));
      const first = storeOf({ a: good }).listChains();
      let asked = 0;
      return { ...kept, listChains: () => (asked++ === 0 ? first : kept.listChains()) };
    };
    expect(await verifyLedger(anchored(good.slice(100)))).toMatchObject({
      entryCount: COUNT - 100,
      faults: [],
    });
    expect((await verifyLedger(anchored(good.slice(101)))).faults).toEqual([
      { writerId: 'a', sequence: 101, text: 'entry 101 is missing' },
    ]);
  });

  it('keeps to a range', async () => {
    const damaged = good.with(2999, { ...(good[2999] as LedgerEntry), callee: 'x@y.example' });
    const ranged = (firstSequence: number, lastSequence: number) =>
      verifyLedger(storeOf({ a: damaged }), { writerId: 'a', firstSequence, lastSequence });
    expect(await ranged(10, 20)).toMatchObject({ entryCount: 11, faults: [] });
    expect((await ranged(2990, 3010)).faults).toHaveLength(1);
  });
});
