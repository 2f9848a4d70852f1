import { describe, expect, it } from '@jest/globals';
import { sampleEntry } from '../sample-entry.ts';
import { bytes, issued } from './found.ts';
import type { OpenedStore } from './opened-store.ts';

/** Promises of a store about its opening and closing. */
export function openingConformance(opened: OpenedStore): void {
  describe('opening and closing', () => {
    it('has the same ledger secret on every instance and after opening again', async () => {
      const secret = bytes(opened.store.ledgerSecret);
      expect(secret).toHaveLength(64);
      const other = await opened.another();
      expect(bytes(other.ledgerSecret)).toBe(secret);
      await other.close();
      expect(bytes((await opened.another()).ledgerSecret)).toBe(secret);
    });

    it('finishes what it accepted before it closes', async () => {
      const records = Array.from({ length: 50 }, () => opened.store.record(sampleEntry()));
      await opened.store.close();
      await expect(Promise.all(records)).resolves.toHaveLength(50);
      expect(await issued(await opened.another())).toHaveLength(50);
    });

    it('refuses with a reason once closed, and closes twice without harm', async () => {
      await opened.store.close();
      await opened.store.close();
      await expect(opened.store.record(sampleEntry())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
      await expect(opened.store.probe()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await expect(opened.store.loadState()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });

    it('answers a probe', async () => {
      await expect(opened.store.probe()).resolves.toBeUndefined();
    });
  });
}
