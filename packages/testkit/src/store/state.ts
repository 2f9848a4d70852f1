import { describe, expect, it } from '@jest/globals';
import type { StateChange, Store } from '@callpass/domain';
import { sampleEntry } from '../sample-entry.ts';
import { addKey, applyChange, FREEZE, move, NOW_MS, remember } from './changes.ts';
import { expectUnbroken, issued, text } from './found.ts';
import type { OpenedStore } from './opened-store.ts';

/** Promises of a store about configuration and freezes, and about the version by which instances notice a change. */
export function stateConformance(opened: OpenedStore): void {
  describe('configuration', () => {
    it('has no revision at first', async () => {
      const state = await opened.store.loadState();
      expect(state).toEqual({
        version: await opened.store.stateVersion(),
        revision: undefined,
        keys: [],
        freezes: [],
        sealedAnew: false,
      });
      expect(await opened.store.getRevision(1)).toBeUndefined();
      expect(await opened.store.listRevisions({ beforeRevision: 0, limit: 10 })).toEqual([]);
    });

    it('gives back each applied document, byte for byte', async () => {
      await apply(opened.store, 0, 'first');
      await apply(opened.store, 1, 'second');
      const { revision } = await opened.store.loadState();
      expect(revision).toMatchObject({ revision: 2, applyTimeMs: NOW_MS, appliedBy: 'operator' });
      expect(text(revision?.document)).toBe('second');
      expect(text((await opened.store.getRevision(1))?.document)).toBe('first');
    });

    it('lists revisions newest first, page by page', async () => {
      for (let revision = 0; revision < 5; revision++)
        await apply(opened.store, revision, `document ${revision}`);
      const newest = await opened.store.listRevisions({ beforeRevision: 0, limit: 2 });
      expect(newest.map((record) => record.revision)).toEqual([5, 4]);
      const next = await opened.store.listRevisions({ beforeRevision: 4, limit: 10 });
      expect(next.map((record) => record.revision)).toEqual([3, 2, 1]);
    });

    it('lets one of two operators win who apply at once over two instances', async () => {
      const other = await opened.another();
      await apply(opened.store, 0, 'first');
      const outcomes = await Promise.all([apply(opened.store, 1, 'mine'), apply(other, 1, 'theirs')]);
      expect(outcomes.map((outcome) => outcome.outcome).sort()).toEqual(['recorded', 'revisionConflict']);
      expect(outcomes.find((outcome) => outcome.outcome === 'revisionConflict')).toEqual({
        outcome: 'revisionConflict',
        currentRevision: 2,
      });
      expect(await opened.store.listRevisions({ beforeRevision: 0, limit: 10 })).toHaveLength(2);
    });

    it('writes no entry for a change that a conflict kept out, and all entries around it', async () => {
      const results = await Promise.all([
        opened.store.record(sampleEntry({ issuanceId: 'one' })),
        opened.store.record(sampleEntry({ issuanceId: 'conflict' }), { change: applyChange(9, 'stale') }),
        opened.store.record(sampleEntry({ issuanceId: 'two' })),
      ]);
      expect(results.map((result) => result.outcome)).toEqual(['recorded', 'revisionConflict', 'recorded']);
      const entries = await issued(opened.store);
      expect(entries.map((entry) => entry.issuanceId)).toEqual(['one', 'two']);
      expectUnbroken(entries);
    });
  });

  describe('state version', () => {
    it('changes with configuration, keys and freezes, on every instance', async () => {
      const other = await opened.another();
      const changes: StateChange[] = [
        applyChange(0, 'document'),
        addKey(1),
        move(1, 'PENDING', 'ACTIVE'),
        { kind: 'freeze', freeze: FREEZE },
        { kind: 'unfreeze', scope: FREEZE.scope },
      ];
      const versions = [await other.stateVersion()];
      for (const change of changes) {
        expect(await opened.store.record(sampleEntry(), { change: change })).toEqual({ outcome: 'recorded' });
        versions.push(await other.stateVersion());
        expect((await other.loadState()).version).toBe(versions.at(-1));
      }
      expect(new Set(versions).size).toBe(changes.length + 1);
    });

    it('stays as it is after entries, answers and conflicts', async () => {
      const before = await opened.store.stateVersion();
      await opened.store.record(sampleEntry());
      await opened.store.record(sampleEntry(), { change: remember('8d0f', 'answer') });
      await opened.store.record(sampleEntry(), { change: applyChange(3, 'stale') });
      await opened.store.record(sampleEntry(), { change: addKey(7) });
      expect(await opened.store.stateVersion()).toBe(before);
    });
  });

  describe('freezes', () => {
    it('freezes, freezes anew with another reason, and lifts', async () => {
      await opened.store.record(sampleEntry(), { change: { kind: 'freeze', freeze: FREEZE } });
      const longer = { ...FREEZE, reason: 'worse than thought', untilMs: NOW_MS + 60_000 };
      await opened.store.record(sampleEntry(), { change: { kind: 'freeze', freeze: longer } });
      expect((await opened.store.loadState()).freezes).toEqual([longer]);
      expect(
        await opened.store.record(sampleEntry(), { change: { kind: 'unfreeze', scope: FREEZE.scope } }),
      ).toEqual({
        outcome: 'recorded',
      });
      expect((await opened.store.loadState()).freezes).toEqual([]);
    });

    it('says so when nothing is frozen under a scope', async () => {
      await opened.store.record(sampleEntry(), { change: { kind: 'freeze', freeze: FREEZE } });
      const scope = { kind: 'CLIENT', value: FREEZE.scope.value } as const;
      expect(await opened.store.record(sampleEntry(), { change: { kind: 'unfreeze', scope } })).toEqual({
        outcome: 'freezeUnknown',
      });
    });
  });
}

function apply(store: Store, expectedRevision: number, document: string) {
  return store.record(sampleEntry({ kind: 'CONFIGURATION_APPLIED', fingerprints: undefined }), {
    change: applyChange(expectedRevision, document),
  });
}
