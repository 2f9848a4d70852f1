import { describe, expect, it } from '@jest/globals';
import { sampleEntry } from '../sample-entry.ts';
import { throwawayKey } from '../throwaway-key.ts';
import { addKey, move, NOW_MS, REALM } from './changes.ts';
import { bytes } from './found.ts';
import type { OpenedStore } from './opened-store.ts';

/** Promises of a store about the keys of realms. */
export function keyConformance(opened: OpenedStore): void {
  describe('keys', () => {
    it('keeps the text of a key and its times through its life, and destroys it for good', async () => {
      const keyText = throwawayKey(16);
      const expected = Uint8Array.from(keyText);
      await opened.store.record(sampleEntry(), { change: { ...addKey(1), keyText } });
      await opened.store.record(sampleEntry(), {
        change: move(1, 'PENDING', 'ACTIVE', { timeMs: NOW_MS + 1 }),
      });
      await opened.store.record(sampleEntry(), {
        change: move(1, 'ACTIVE', 'RETIRED', { timeMs: NOW_MS + 2, validateUntilMs: NOW_MS + 900 }),
      });
      const other = await opened.another();
      const [retired] = (await other.loadState()).keys;
      expect(retired).toMatchObject({
        realm: REALM,
        version: 1,
        state: 'RETIRED',
        fingerprint: '00112233aabbccdd',
        createTimeMs: NOW_MS,
        activateTimeMs: NOW_MS + 1,
        retireTimeMs: NOW_MS + 2,
        destroyTimeMs: undefined,
        validateUntilMs: NOW_MS + 900,
      });
      expect(bytes(retired?.keyText)).toEqual(bytes(expected));

      await opened.store.record(sampleEntry(), {
        change: move(1, 'RETIRED', 'DESTROYED', { timeMs: NOW_MS + 3 }),
      });
      const [destroyed] = (await other.loadState()).keys;
      expect(destroyed).toMatchObject({
        state: 'DESTROYED',
        destroyTimeMs: NOW_MS + 3,
        keyText: undefined,
      });
    });

    it('lists keys by realm, newest version first', async () => {
      for (const realm of ['b.example', 'a.example']) {
        for (const version of [1, 2])
          await opened.store.record(sampleEntry(), { change: { ...addKey(version), realm } });
      }
      const { keys } = await opened.store.loadState();
      expect(keys.map((key) => `${key.realm} ${key.version}`)).toEqual([
        'a.example 2',
        'a.example 1',
        'b.example 2',
        'b.example 1',
      ]);
    });

    it('takes only the next version of a realm', async () => {
      expect(await opened.store.record(sampleEntry(), { change: addKey(2) })).toEqual({
        outcome: 'keyConflict',
      });
      const racing = await Promise.all([
        opened.store.record(sampleEntry(), { change: addKey(1) }),
        opened.store.record(sampleEntry(), { change: addKey(1) }),
      ]);
      expect(racing).toEqual([{ outcome: 'recorded' }, { outcome: 'keyConflict' }]);
      expect((await opened.store.loadState()).keys).toHaveLength(1);
    });

    it('moves all keys of a change or none', async () => {
      await opened.store.record(sampleEntry(), { change: addKey(1) });
      await opened.store.record(sampleEntry(), { change: addKey(2) });
      await opened.store.record(sampleEntry(), { change: move(1, 'PENDING', 'ACTIVE') });
      const moves = [...move(1, 'ACTIVE', 'RETIRED').moves, ...move(2, 'ACTIVE', 'RETIRED').moves];
      expect(await opened.store.record(sampleEntry(), { change: { kind: 'moveKeys', moves } })).toEqual({
        outcome: 'keyConflict',
      });
      const { keys } = await opened.store.loadState();
      expect(keys.map((key) => key.state)).toEqual(['PENDING', 'ACTIVE']);
    });

    it('never has two active keys for a realm, even when two operators activate at once', async () => {
      const other = await opened.another();
      await opened.store.record(sampleEntry(), { change: addKey(1) });
      await opened.store.record(sampleEntry(), { change: addKey(2) });
      const outcomes = await Promise.all([
        opened.store.record(sampleEntry(), { change: move(1, 'PENDING', 'ACTIVE') }),
        other.record(sampleEntry(), { change: move(2, 'PENDING', 'ACTIVE') }),
      ]);
      expect(outcomes.map((outcome) => outcome.outcome).sort()).toEqual(['keyConflict', 'recorded']);
      const { keys } = await opened.store.loadState();
      expect(keys.filter((key) => key.state === 'ACTIVE')).toHaveLength(1);
    });
  });
}
