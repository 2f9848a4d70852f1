import { describe, expect, it } from '@jest/globals';
import { sampleEntry } from '../sample-entry.ts';
import { BODY_HASH, NOW_MS, remember } from './changes.ts';
import { bytes, expectUnbroken, issued, text } from './found.ts';
import type { OpenedStore } from './opened-store.ts';

/** Promises of a store about remembered answers. */
export function answerConformance(opened: OpenedStore): void {
  describe('remembered answers', () => {
    it('remembers an answer under its client and request id', async () => {
      await opened.store.record(sampleEntry(), { change: remember('8d0f', 'the answer') });
      const query = { client: 'web-edge', requestId: '8d0f', nowMs: NOW_MS };
      const found = await opened.store.findAnswer(query);
      expect(text(found?.answer)).toBe('the answer');
      expect(bytes(found?.bodyHash)).toEqual(bytes(BODY_HASH));
      expect(await opened.store.findAnswer({ ...query, client: 'other' })).toBeUndefined();
      expect(await opened.store.findAnswer({ ...query, requestId: '8d10' })).toBeUndefined();
    });

    it('gives the first answer to all who claim the id later, and records nothing for them', async () => {
      const outcomes = await Promise.all(
        ['first', 'second', 'third'].map((answer) =>
          opened.store.record(sampleEntry({ issuanceId: answer }), { change: remember('8d0f', answer) }),
        ),
      );
      expect(outcomes.map((outcome) => outcome.outcome)).toEqual([
        'recorded',
        'answeredBefore',
        'answeredBefore',
      ]);
      for (const outcome of outcomes.slice(1)) {
        expect(outcome.outcome === 'answeredBefore' && text(outcome.answer)).toBe('first');
      }
      expect((await issued(opened.store)).map((entry) => entry.issuanceId)).toEqual(['first']);
    });

    it('forgets an answer at the moment it expires, and lets the id be claimed again', async () => {
      await opened.store.record(sampleEntry(), { change: remember('8d0f', 'old') });
      const query = { client: 'web-edge', requestId: '8d0f' };
      expect(await opened.store.findAnswer({ ...query, nowMs: NOW_MS + 599_999 })).toBeDefined();
      expect(await opened.store.findAnswer({ ...query, nowMs: NOW_MS + 600_000 })).toBeUndefined();
      const later = {
        ...remember('8d0f', 'new'),
        nowMs: NOW_MS + 600_000,
        expireTimeMs: NOW_MS + 1_200_000,
      };
      expect(await opened.store.record(sampleEntry(), { change: later })).toEqual({ outcome: 'recorded' });
      expect(text((await opened.store.findAnswer({ ...query, nowMs: NOW_MS + 600_000 }))?.answer)).toBe(
        'new',
      );
    });

    it('gives one issuance for each of 100 request ids that race over two instances in opposite order', async () => {
      const other = await opened.another();
      const ids = Array.from({ length: 100 }, (_, index) => `request-${index}`);
      const [mine, theirs] = await Promise.all([
        Promise.all(
          ids.map((id) =>
            opened.store.record(sampleEntry({ issuanceId: id }), { change: remember(id, 'mine') }),
          ),
        ),
        Promise.all(
          ids
            .toReversed()
            .map((id) => other.record(sampleEntry({ issuanceId: id }), { change: remember(id, 'theirs') })),
        ),
      ]);
      theirs.reverse();
      ids.forEach((_, index) => {
        const pair = [mine[index]?.outcome, theirs[index]?.outcome].sort();
        expect(pair).toEqual(['answeredBefore', 'recorded']);
      });
      const entries = await issued(opened.store);
      expect(entries.map((entry) => entry.issuanceId).sort()).toEqual(ids.toSorted());
      expectUnbroken(entries);
    });
  });
}
