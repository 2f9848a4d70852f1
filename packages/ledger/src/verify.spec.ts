import { describe, expect, it } from '@jest/globals';
import { AnchorProver } from './anchor.ts';
import { linkEntry, newChain, type ChainHead } from './chain.ts';
import { entryFields, type LedgerEntry } from './entry.ts';
import type { ChainRecord, LedgerStore } from './ledger-store.ts';
import { freezeThing, type StateRecord } from './state-record.ts';
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
  state: Partial<StateRecord> = {},
): Pick<LedgerStore, 'listChains' | 'readChain' | 'readStateRecord'> {
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
    readStateRecord: async () => ({
      faults: [],
      changeCount: 0,
      forgottenChanges: 0,
      chainCount: records.length,
      things: [],
      ...state,
    }),
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

describe('verifyLedger plays changes through', () => {
  const SALES = freezeThing('DESTINATION', 'sales');
  /** Freezes and unfreezes of a destination, in turn, as changes 1 and up. */
  const changes = (count: number): LedgerEntry[] => {
    const entries: LedgerEntry[] = [];
    for (let changeNumber = 1; changeNumber <= count; changeNumber++) {
      const frozen = changeNumber % 2 === 1;
      const fields = entryFields({
        kind: frozen ? 'FROZEN' : 'UNFROZEN',
        timeMs: 1000 + changeNumber,
        client: 'ops',
        destination: 'sales',
        changeNumber,
        changeHash: frozen ? `hash ${changeNumber}` : '',
      });
      entries.push(linkEntry(entries.at(-1) ?? newChain('a'), fields));
    }
    return entries;
  };
  const texts = async (entries: LedgerEntry[], state: Partial<StateRecord>) =>
    (await verifyLedger(storeOf({ a: entries }, undefined, state))).faults.map(({ text }) => text);

  it.each([
    ['what the last change made', 3, { changeCount: 3, things: [[SALES, 'hash 3']] }, []],
    ['a freeze that was lifted', 2, { changeCount: 2, things: [] }, []],
    ['a freeze whose row is gone', 3, { changeCount: 3, things: [] }, [`${SALES} is not what`]],
    ['a former row of it', 3, { changeCount: 3, things: [[SALES, 'hash 1']] }, [`${SALES} is not what`]],
    [
      'a lifted one that is back',
      2,
      { changeCount: 2, things: [[SALES, 'hash 1']] },
      [`${SALES} is not what`],
    ],
    ['changes without an entry', 1, { changeCount: 3, things: [] }, ['2 changes from 2 on', SALES]],
    ['changes that retention removed', 0, { changeCount: 3, forgottenChanges: 3 }, []],
    ['a state that was put back', 3, { changeCount: 1 }, [`${SALES} is not what`, 'records change 3']],
    ['what the rows show', 0, { faults: ['key 1 was altered'] }, ['key 1 was altered']],
  ] as [string, number, Partial<StateRecord>, string[]][])('%s', async (_, count, state, expected) => {
    expect(await texts(changes(count), state)).toEqual(expected.map((text) => expect.stringContaining(text)));
  });

  it('counts the chains, so that the newest and all of them are missed', async () => {
    const found = await verifyLedger(storeOf({ a: good }, undefined, { chainCount: 3 }));
    expect(found.faults.map(({ writerId }) => writerId)).toEqual(['chain 2', 'chain 3']);
    const emptied = await verifyLedger(storeOf({}, undefined, { chainCount: 1 }));
    expect(emptied).toMatchObject({ entryCount: 0, faults: [{ text: 'the chain is missing as a whole' }] });
  });
});

describe('verifyLedger with an anchor', () => {
  const prover = new AnchorProver(new Uint8Array(32).fill(1));
  const anchorOf = async (store: ReturnType<typeof storeOf>) =>
    prover.prove({ chains: await store.listChains(), state: await store.readStateRecord(), timeMs: 1000 });
  const texts = async (store: ReturnType<typeof storeOf>, earlier: ReturnType<typeof storeOf>) =>
    (await verifyLedger(store, { anchor: await anchorOf(earlier) })).faults.map(({ text }) => text);
  const forked = linkEntry(good[8] as LedgerEntry, { ...(good[9] as LedgerEntry), callee: 'x@y.example' });

  it.each([
    ['one that has only grown', { a: good, b: chainOf('b', 2) }, []],
    ['the same', { a: good.slice(0, 10) }, []],
    ['one that was put back', { a: good.slice(0, 9) }, ['entry 10 is missing']],
    ['one that was written anew', { a: [...good.slice(0, 9), forked] }, ['entry 10 is another one']],
    ['one that lacks the chain', { b: chainOf('b', 20) }, ['the chain is missing']],
  ])('judges %s', async (_, chains, expected) => {
    const found = await texts(storeOf(chains), storeOf({ a: good.slice(0, 10) }));
    expect(found).toEqual(expected.map((text) => expect.stringContaining(text)));
  });

  it('does not miss what retention has removed since', async () => {
    const kept = storeOf({ a: good.slice(100) }, (record) => ({
      ...record,
      anchor: good[99] as LedgerEntry,
    }));
    expect(await texts(kept, storeOf({ a: good.slice(0, 10) }))).toEqual([]);
    expect(await texts(kept, storeOf({ a: good.slice(0, 100) }))).toEqual([]);
  });

  it('finds configuration, keys and freezes that were put back', async () => {
    const now = storeOf({ a: good }, undefined, { changeCount: 4, forgottenChanges: 4 });
    const before = storeOf({ a: good }, undefined, { changeCount: 5, chainCount: 2 });
    expect(await texts(now, before)).toEqual([
      expect.stringContaining('4 changes of configuration, keys and freezes, 5 at'),
      expect.stringContaining('1 chains were begun, 2 at'),
    ]);
  });

  it('tells an anchor of this store from any other', async () => {
    const anchor = await anchorOf(storeOf({ a: good }));
    expect(prover.isGenuine(anchor)).toBe(true);
    expect(prover.isGenuine({ ...anchor, changeCount: 1 })).toBe(false);
    expect(new AnchorProver(new Uint8Array(32).fill(2)).isGenuine(anchor)).toBe(false);
  });
});
