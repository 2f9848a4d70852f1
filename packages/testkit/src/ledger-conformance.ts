import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  KeyedHash,
  newIssuanceId,
  verifyLedger,
  type EntryDraft,
  type EntryQuery,
  type IssuedFilter,
  type ReplayPlan,
  type ReplayReport,
  type Store,
} from '@callpass/domain';
import { sampleEntry } from './sample-entry.ts';
import { throwawayKey } from './throwaway-key.ts';

/** Database of one test. */
export interface ConformanceDatabase {
  /** Opens another instance of the service on this database. */
  open(): Promise<Store>;
  /** Removes the database. Its stores must be closed. */
  remove(): Promise<void>;
}

const NOW_MS = 1_800_000_000_000;

/** Conformance tests of the port for listing, verifying and pruning the ledger. */
export function ledgerConformance(name: string, openFresh: () => Promise<ConformanceDatabase>): void {
  describe(`${name} keeps the ledger's promises`, () => {
    let database: ConformanceDatabase;
    let stores: Store[];
    let store: Store;

    const openAnother = async (): Promise<Store> => {
      const another = await database.open();
      stores.push(another);
      return another;
    };
    const traces = async (query: Partial<EntryQuery> = {}): Promise<string[]> => {
      const entries = await store.listEntries({ afterPosition: 0, limit: 1000, ...query });
      return entries.map(({ entry }) => entry.traceId);
    };
    const recordAll = (entries: readonly EntryDraft[], by: Store = store): Promise<unknown> =>
      Promise.all(entries.map((entry) => by.record(entry)));

    beforeEach(async () => {
      database = await openFresh();
      stores = [];
      store = await openAnother();
    });

    afterEach(async () => {
      await Promise.all(stores.map((opened) => opened.close()));
      await database.remove();
    });

    it('lists nothing, has no chain and verifies before the first entry', async () => {
      expect(await traces()).toEqual([]);
      expect(await store.listChains()).toEqual([]);
      expect(await verifyLedger(store)).toMatchObject({ entryCount: 0, faults: [], chains: [] });
    });

    it('lists what matches each filter, and all of them together, in the order of writing', async () => {
      const issuanceId = newIssuanceId(NOW_MS + 1999, throwawayKey(16));
      await recordAll([
        sampleEntry({ traceId: 'a' }),
        sampleEntry({ traceId: 'b', destination: 'sales' }),
        sampleEntry({ traceId: 'c', client: 'other' }),
        { traceId: 'd', kind: 'REFUSED', timeMs: NOW_MS, client: 'web-edge' },
        sampleEntry({ traceId: 'e', timeMs: NOW_MS + 1000, issuanceId }),
        // A clock that was put back.
        sampleEntry({ traceId: 'f', timeMs: NOW_MS - 5000 }),
      ]);
      expect(await traces()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
      expect(await traces({ destination: 'sales' })).toEqual(['b']);
      expect(await traces({ client: 'other' })).toEqual(['c']);
      expect(await traces({ kind: 'REFUSED' })).toEqual(['d']);
      expect(await traces({ kind: 'ENTRIES_REMOVED' })).toEqual([]);
      expect(await traces({ issuanceId })).toEqual(['e']);
      expect(await traces({ issuanceId: newIssuanceId(NOW_MS + 1999, throwawayKey(16)) })).toEqual([]);
      expect(await traces({ traceId: 'b' })).toEqual(['b']);
      expect(await traces({ traceId: 'unknown' })).toEqual([]);
      expect(await traces({ startTimeMs: NOW_MS, endTimeMs: NOW_MS + 1000 })).toEqual(['a', 'b', 'c', 'd']);
      expect(await traces({ startTimeMs: NOW_MS + 1000 })).toEqual(['e']);
      expect(await traces({ endTimeMs: NOW_MS })).toEqual(['f']);
      expect(await traces({ startTimeMs: NOW_MS + 1001 })).toEqual([]);
      const all = { client: 'web-edge', destination: 'sales', kind: 'ISSUED', traceId: 'b' } as const;
      expect(await traces({ ...all, startTimeMs: NOW_MS, endTimeMs: NOW_MS + 1 })).toEqual(['b']);
      expect(await traces({ ...all, startTimeMs: NOW_MS + 1 })).toEqual([]);
    });

    it('lists page after page what two instances wrote, each entry once, also far behind what does not match', async () => {
      const other = await openAnother();
      const refused: EntryDraft = { kind: 'REFUSED', timeMs: NOW_MS - 1, client: 'filling' };
      const filling = Array.from({ length: 11_000 }, () => refused);
      for (let at = 0; at < filling.length; at += 1000) await recordAll(filling.slice(at, at + 1000));
      const expected = Array.from({ length: 25 }, (_, index) => `trace-${index}`);
      await recordAll(expected.map((traceId, index) => sampleEntry({ traceId, timeMs: NOW_MS + index })));
      await recordAll([sampleEntry({ traceId: 'theirs', timeMs: NOW_MS + 25 })], other);
      for (const filter of [{ client: 'web-edge' }, { startTimeMs: NOW_MS }]) {
        const pages: string[][] = [];
        let afterPosition = 0;
        for (;;) {
          const page = await store.listEntries({ ...filter, afterPosition, limit: 10 });
          pages.push(page.map(({ entry }) => entry.traceId));
          if (page.length < 10) break;
          afterPosition = page.at(-1)?.position ?? 0;
        }
        expect(pages.map((page) => page.length)).toEqual([10, 10, 6]);
        expect(pages.flat()).toEqual([...expected, 'theirs']);
      }
    }, 30_000);

    it('counts what was issued, by client, destination and key, as each filter says', async () => {
      await recordAll([
        sampleEntry(),
        sampleEntry({ timeMs: NOW_MS + 1000, expireTimeMs: NOW_MS + 700_000 }),
        sampleEntry({ client: 'other', visitor: { clear: 'somebody' } }),
        sampleEntry({ keyVersion: 4 }),
        sampleEntry({ realm: '', keyVersion: 0, destination: 'lobby', expireTimeMs: 0 }),
        { traceId: 'd', kind: 'REFUSED', timeMs: NOW_MS, client: 'web-edge' },
      ]);
      const count = async (filter: IssuedFilter, nowMs = NOW_MS) => {
        const { groups, position, lastPosition } = await store.countIssued({
          ...filter,
          afterPosition: 0,
          nowMs,
        });
        expect(position).toBe(lastPosition);
        return groups
          .map(({ client, destination, issued, alive }) => `${client} ${destination} ${issued} ${alive}`)
          .sort();
      };
      const key = { realm: 'support.example', keyVersion: 3 };
      expect(await count(key)).toEqual(['other support 1 1', 'web-edge support 2 2']);
      expect(await count(key, NOW_MS + 600_000)).toEqual(['other support 1 0', 'web-edge support 2 1']);
      expect(await count({ ...key, startTimeMs: NOW_MS + 1 })).toEqual(['web-edge support 1 1']);
      expect(await count({ client: 'web-edge' })).toEqual([
        'web-edge lobby 1 0',
        'web-edge support 1 1',
        'web-edge support 2 2',
      ]);
      const subjectHash = new KeyedHash(store.ledgerSecret).subject('somebody');
      expect(await count({ subjectHash })).toEqual(['other support 1 1']);
      const { groups } = await store.countIssued({
        ...key,
        client: 'web-edge',
        afterPosition: 0,
        nowMs: NOW_MS,
      });
      expect(groups).toEqual([
        {
          ...{ client: 'web-edge', destination: 'support', realm: 'support.example', keyVersion: 3 },
          ...{ issued: 2, alive: 2, firstTimeMs: NOW_MS, lastTimeMs: NOW_MS + 1000 },
          lastExpireTimeMs: NOW_MS + 700_000,
        },
      ]);
      const end = await store.countIssued({ afterPosition: 1_000_000, nowMs: NOW_MS });
      expect(end.groups).toEqual([]);
    });

    it('replays its requests since a time with a configuration, and again after a replay that was left', async () => {
      const destination = {
        ...{ id: 'support', realm: 'support.example', account: 'anonymous@kandy.example', callers: [] },
        ...{ callees: ['support@kandy.example'], enabled: true, requireSubject: false, hours: undefined },
        limits: [],
      };
      const plan: ReplayPlan = {
        configuration: { realms: [], destinations: [{ ...destination, enabled: false }], clients: [] },
        ...{ inForce: [], activeRealms: [], trustedClients: ['web-edge'], timeZone: 'UTC' },
      };
      const replay = async (startTimeMs?: number) => {
        let report: ReplayReport | undefined;
        for await (const step of store.replay({ ...plan, startTimeMs })) ({ report } = step);
        return report;
      };
      expect(await replay()).toMatchObject({ issued: 0, refused: 0, differences: [] });
      await recordAll([
        sampleEntry(),
        sampleEntry({ timeMs: NOW_MS + 1000, client: 'other' }),
        { kind: 'REFUSED', timeMs: NOW_MS, client: 'web-edge', destination: 'support', reason: 'FROZEN' },
      ]);
      for await (const _ of store.replay(plan)) break;
      const report = await replay();
      expect(report).toMatchObject({ issued: 2, refused: 0, wouldBeRefused: 2 });
      expect(report?.differences.map(({ rule }) => rule).sort()).toEqual(['clients', 'enabled']);
      expect(report?.caveats).toEqual([{ cause: 'REFUSED_OTHERWISE', reason: 'FROZEN', count: 1 }]);
      expect(await replay(NOW_MS + 1)).toMatchObject({ issued: 1, firstTimeMs: NOW_MS + 1000 });
    });

    it('reads each chain by itself and verifies them all', async () => {
      const other = await openAnother();
      await recordAll([sampleEntry({ traceId: 'a1' }), sampleEntry({ traceId: 'a2' })]);
      await recordAll([sampleEntry({ traceId: 'b1' })], other);
      const chains = await store.listChains();
      expect(
        chains.map(({ number, anchor, head, genuine }) => [number, anchor.sequence, head.sequence, genuine]),
      ).toEqual([
        [1, 0, 2, true],
        [2, 0, 1, true],
      ]);
      const [a] = chains;
      const page = { writerId: a?.writerId ?? '', limit: 10 };
      const whole = await store.readChain({ ...page, afterSequence: 0 });
      expect(whole.map((entry) => entry.traceId)).toEqual(['a1', 'a2']);
      expect(await store.readChain({ ...page, afterSequence: 0, limit: 1 })).toHaveLength(1);
      expect((await store.readChain({ ...page, afterSequence: 1 })).map((entry) => entry.traceId)).toEqual([
        'a2',
      ]);
      expect(await store.readChain({ ...page, writerId: 'unknown', afterSequence: 0 })).toEqual([]);
      expect(await verifyLedger(store)).toMatchObject({ entryCount: 3, faults: [] });
    });

    it('verifies while entries are being written', async () => {
      await recordAll(Array.from({ length: 50 }, () => sampleEntry()));
      let writing = true;
      const writer = (async () => {
        while (writing) await recordAll([sampleEntry(), sampleEntry()]);
      })();
      const found = await verifyLedger(store);
      writing = false;
      await writer;
      expect(found.faults).toEqual([]);
      expect(found.entryCount).toBeGreaterThanOrEqual(50);
    });

    describe('removing entries', () => {
      const removal = (beforeTimeMs: number, traceId = 'removal'): Parameters<Store['removeEntries']>[0] => ({
        beforeTimeMs,
        entry: { kind: 'ENTRIES_REMOVED', timeMs: NOW_MS + 9000, client: 'operator', traceId },
      });

      it('takes the oldest of each chain, records it, and leaves chains that go on and verify', async () => {
        const other = await openAnother();
        expect(await store.hasRemoved(0)).toBe(false);
        await recordAll([0, 1, 2, 3].map((at) => sampleEntry({ timeMs: NOW_MS + at, traceId: `a${at}` })));
        await recordAll(
          [0, 1].map((at) => sampleEntry({ timeMs: NOW_MS + at, traceId: `b${at}` })),
          other,
        );
        expect(await store.removeEntries(removal(NOW_MS + 2))).toBe(3);
        expect(await traces()).toEqual(['a2', 'a3', 'b1', 'removal']);
        const times = [NOW_MS, NOW_MS + 1, NOW_MS + 3];
        expect(await Promise.all(times.map((timeMs) => store.hasRemoved(timeMs)))).toEqual([
          true,
          true,
          false,
        ]);
        const chains = await other.listChains();
        expect(chains.map(({ anchor }) => anchor.sequence)).toEqual([2, 1]);
        expect(chains.every(({ genuine }) => genuine)).toBe(true);
        await recordAll([sampleEntry({ traceId: 'b2' })], other);
        expect(await verifyLedger(store)).toMatchObject({ entryCount: 5, faults: [] });
        expect(await verifyLedger(other)).toMatchObject({ entryCount: 5, faults: [] });
      });

      it('keeps the newest entry of a chain, however old', async () => {
        const other = await openAnother();
        await recordAll([sampleEntry({ traceId: 'old' }), sampleEntry({ traceId: 'newest' })], other);
        expect(await store.removeEntries(removal(NOW_MS + 5000))).toBe(1);
        expect(await store.removeEntries(removal(NOW_MS + 5000, 'again'))).toBe(0);
        expect(await traces()).toEqual(['newest', 'removal', 'again']);
        expect(await verifyLedger(store)).toMatchObject({ entryCount: 3, faults: [] });
      });

      it('takes an unbroken run only: what follows a younger entry stays', async () => {
        const times = [0, 5, 1, 6];
        await recordAll(times.map((at) => sampleEntry({ timeMs: NOW_MS + at, traceId: `${at}` })));
        expect(await store.removeEntries(removal(NOW_MS + 3))).toBe(1);
        expect(await traces()).toEqual(['5', '1', '6', 'removal']);
        expect(await verifyLedger(store)).toMatchObject({ faults: [] });
      });

      it('goes on through thousands of entries, beside records and beside another that removes', async () => {
        const other = await openAnother();
        const old = Array.from({ length: 1300 }, () => sampleEntry());
        await recordAll(old);
        await recordAll(old, other);
        const young = sampleEntry({ timeMs: NOW_MS + 1, traceId: 'young' });
        await recordAll([young]);
        await recordAll([young], other);
        const [mine, theirs] = await Promise.all([
          store.removeEntries(removal(NOW_MS + 1)),
          other.removeEntries(removal(NOW_MS + 1)),
          recordAll(
            Array.from({ length: 100 }, () => sampleEntry({ timeMs: NOW_MS + 2, traceId: 'beside' })),
          ),
        ]);
        expect(mine + theirs).toBe(2600);
        expect((await traces()).toSorted()).toEqual([
          ...Array.from({ length: 100 }, () => 'beside'),
          ...['removal', 'removal', 'young', 'young'],
        ]);
        expect(await verifyLedger(store)).toMatchObject({ entryCount: 104, faults: [] });
      }, 30_000);
    });
  });
}
