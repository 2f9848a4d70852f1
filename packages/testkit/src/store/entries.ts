import { describe, expect, it } from '@jest/globals';
import { faultOf, KeyedHash, newChain } from '@callpass/domain';
import { sampleEntry } from '../sample-entry.ts';
import { NOW_MS, REALM, remember } from './changes.ts';
import { expectUnbroken, issued, plain } from './found.ts';
import type { OpenedStore } from './opened-store.ts';

/** Promises of a store about the entries that it records. */
export function entryConformance(opened: OpenedStore): void {
  describe('ledger', () => {
    it('gives back every field of an entry as it was recorded', async () => {
      const entry = sampleEntry({ callee: 'süd@kandy.example', rule: 'ночь' });
      expect(await opened.store.record(entry)).toEqual({ outcome: 'recorded' });
      const [found] = await issued(opened.store);
      const { visitor, ...same } = entry;
      expect(visitor).toEqual({ hash: found?.subjectHash });
      expect(plain(found)).toMatchObject(plain(same));
      expect(found && faultOf(newChain(found.writerId), found)).toBeUndefined();
    });

    it('keeps 500 concurrent records in the order of the calls, in one unbroken chain', async () => {
      const ids = Array.from({ length: 500 }, (_, index) => `issue-${index}`);
      await Promise.all(ids.map((issuanceId) => opened.store.record(sampleEntry({ issuanceId }))));
      const entries = await issued(opened.store);
      expect(entries.map((entry) => entry.issuanceId)).toEqual(ids);
      expectUnbroken(entries);
    });

    it('finds issues by exactly their time and realm, and nothing but issues', async () => {
      await opened.store.record(sampleEntry({ issuanceId: 'sought' }));
      await opened.store.record(sampleEntry({ timeMs: NOW_MS + 1 }));
      await opened.store.record(sampleEntry({ realm: 'other.example' }));
      await opened.store.record(sampleEntry({ kind: 'REFUSED', fingerprints: undefined }));
      expect((await issued(opened.store)).map((entry) => entry.issuanceId)).toEqual(['sought']);
      expect(await opened.store.findIssued({ realm: REALM, timeMs: NOW_MS - 1 })).toEqual([]);
    });

    it('knows the latest issue after a time, and no other entry', async () => {
      expect(await opened.store.readTimes(0)).toMatchObject({ laterIssueMs: undefined });
      for (const timeMs of [NOW_MS + 2000, NOW_MS, NOW_MS + 1000])
        await opened.store.record(sampleEntry({ timeMs }));
      await opened.store.record(
        sampleEntry({ kind: 'REFUSED', fingerprints: undefined, timeMs: NOW_MS + 9000 }),
      );
      expect(await opened.store.readTimes(NOW_MS)).toMatchObject({ laterIssueMs: NOW_MS + 2000 });
      expect(await opened.store.readTimes(NOW_MS + 2000)).toMatchObject({ laterIssueMs: undefined });
    });

    it('keeps of the tokens of an issue their fingerprints alone, each at its entry', async () => {
      const hash = new KeyedHash(opened.store.ledgerSecret);
      const tokensOf = (name: string) => ({ account: `${name}-A`, from: `${name}-F`, to: `${name}-T` });
      const bare = { fingerprints: undefined };
      await Promise.all([
        opened.store.record(sampleEntry({ ...bare, issuanceId: 'none' })),
        opened.store.record(sampleEntry({ ...bare, issuanceId: 'first' }), { tokens: tokensOf('first') }),
        opened.store.record(sampleEntry({ issuanceId: 'given' })),
        opened.store.record(sampleEntry({ ...bare, issuanceId: 'second' }), {
          tokens: tokensOf('second'),
          change: remember('8d0f', 'answer'),
        }),
      ]);
      const entries = await issued(opened.store);
      expectUnbroken(entries);
      const [none, first, given, second] = entries.map((entry) => entry.fingerprints);
      expect(none).toBeUndefined();
      expect(plain(first)).toEqual(plain(hash.tokens(tokensOf('first'))));
      expect(plain(second)).toEqual(plain(hash.tokens(tokensOf('second'))));
      expect(given).toBeDefined();
    });

    it('keeps of a subject its keyed hash alone', async () => {
      await opened.store.record(
        sampleEntry({ visitor: { clear: 'visitor-in-clear' }, issuanceId: 'of-a-subject' }),
      );
      const [entry] = (await issued(opened.store)).filter(({ issuanceId }) => issuanceId === 'of-a-subject');
      expect(entry?.subjectHash).toBe(new KeyedHash(opened.store.ledgerSecret).subject('visitor-in-clear'));
      await expect(
        opened.store.record(sampleEntry({ visitor: { clear: 'x'.repeat(8193) } })),
      ).rejects.toThrow(TypeError);
    });

    it('refuses tokens that it cannot fingerprint and still records the others', async () => {
      const tokens = { account: 'A', from: 'F', to: 'T' };
      const entry = sampleEntry({ fingerprints: undefined, issuanceId: 'good' });
      const good = opened.store.record(entry, { tokens });
      const tooLong = { ...tokens, to: 'x'.repeat(8193) };
      await expect(opened.store.record(entry, { tokens: tooLong })).rejects.toThrow(TypeError);
      await expect(opened.store.record(sampleEntry(), { tokens })).rejects.toThrow(TypeError);
      await good;
      expect((await issued(opened.store)).map((found) => found.issuanceId)).toEqual(['good']);
    });

    it('holds text that no database takes as it is, in a chain that still verifies', async () => {
      await opened.store.record(sampleEntry({ reason: 'nul \0 and half \ud800 a pair' }));
      await opened.store.record(sampleEntry());
      expectUnbroken(await issued(opened.store));
    });

    it('refuses an entry without canonical form and still records the others', async () => {
      const good = opened.store.record(sampleEntry({ issuanceId: 'good' }));
      await expect(opened.store.record(sampleEntry({ keyVersion: 1.5 }))).rejects.toThrow();
      await expect(opened.store.record(sampleEntry({ timeMs: -1 }))).rejects.toThrow();
      await good;
      const entries = await issued(opened.store);
      expect(entries.map((entry) => entry.issuanceId)).toEqual(['good']);
      expectUnbroken(entries);
    });

    it('keeps its entries when it is opened again, beside an unbroken chain of what follows', async () => {
      await opened.store.record(sampleEntry({ issuanceId: 'before' }));
      await opened.store.close();
      const again = await opened.another();
      await again.record(sampleEntry({ issuanceId: 'after' }));
      const entries = await issued(again);
      expect(entries.map((entry) => entry.issuanceId)).toEqual(['before', 'after']);
      expectUnbroken(entries);
    });

    it('lets two instances write at once, each to an unbroken chain of its own', async () => {
      const other = await opened.another();
      await Promise.all(
        Array.from({ length: 200 }, (_, index) => (index % 2 ? opened.store : other).record(sampleEntry())),
      );
      const entries = await issued(opened.store);
      expect(new Set(entries.map((entry) => entry.writerId)).size).toBe(2);
      expect(entries).toHaveLength(200);
      expectUnbroken(entries);
    });
  });
}
