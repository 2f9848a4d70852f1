import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '@callpass/domain';
import { sampleEntry } from '@callpass/testkit';
import { migrateStore } from '../index.ts';
import { chainFaults, sampleEntries } from './chains.ts';
import type { SuiteDatabase } from './suite-database.ts';
import { tamper, tamperSql } from './test-database.ts';

/** That chains of entries neither fork nor go on from an end that was altered. */
export function chainSuite(database: SuiteDatabase): void {
  const { sealKey, open } = database;
  const writers = () =>
    tamper(database.url, (db) => db.selectFrom('ledger_writers').selectAll().orderBy('number').execute());

  describe('chain', () => {
    beforeEach(() => migrateStore({ url: database.url, sealKey }));

    it('goes on where it ended when a writer is given by name', async () => {
      const first = await open({ writerId: 'instance-1' });
      await first.record(sampleEntry());
      await first.close();
      const second = await open({ writerId: 'instance-1' });
      await second.record(sampleEntry());
      expect(chainFaults(await sampleEntries(second))).toEqual([]);
      expect(await writers()).toMatchObject([{ number: 1, writer_id: 'instance-1', head_sequence: 2 }]);
    });

    it('neither forks nor breaks when two processes write under one name', async () => {
      const both = [await open({ writerId: 'shared' }), await open({ writerId: 'shared' })];
      await Promise.all(
        Array.from({ length: 60 }, async (_, index) => {
          const store = both[index % 2] as Store;
          for (;;) {
            const outcome = await store.record(sampleEntry()).catch(() => undefined);
            if (outcome) return;
            await setImmediate();
          }
        }),
      );
      const [store] = both as [Store];
      expect(await sampleEntries(store)).toHaveLength(60);
      expect(chainFaults(await sampleEntries(store))).toEqual([]);
      expect(await writers()).toHaveLength(1);
    });

    it('begins for an instance with its first entry, and numbers chains without gaps', async () => {
      const [, second, third] = [await open(), await open(), await open()];
      await second.record(sampleEntry());
      await third.record(sampleEntry());
      expect((await writers()).map((writer) => writer.number)).toEqual([1, 2]);
    });

    it('is not gone on with after its recorded end was set back', async () => {
      const store = await open();
      await store.record(sampleEntry());
      const [before] = await writers();
      await store.record(sampleEntry());
      await tamper(database.url, async (db) => {
        await db.deleteFrom('ledger').where('sequence', '=', 2).execute();
        await db
          .updateTable('ledger_writers')
          .set({
            head_sequence: 1,
            head_hash: before?.head_hash as Uint8Array,
            head_mac: before?.head_mac as Uint8Array,
          })
          .execute();
      });
      await expect(store.record(sampleEntry())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    });

    it('is not gone on with from an end that this service did not record', async () => {
      const store = await open({ writerId: 'instance-1' });
      await store.record(sampleEntry());
      await store.record(sampleEntry());
      const [entry] = await sampleEntries(store);
      await store.close();
      await tamper(database.url, async (db) => {
        await db.deleteFrom('ledger').where('sequence', '=', 2).execute();
        await db
          .updateTable('ledger_writers')
          .set({ head_sequence: 1, head_hash: entry?.hash as Uint8Array })
          .execute();
      });
      const again = await open({ writerId: 'instance-1' });
      await expect(again.record(sampleEntry())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    });

    it('shows an entry that was altered in the database', async () => {
      const store = await open();
      await store.record(sampleEntry());
      await store.record(sampleEntry());
      await tamperSql(database.url, `update ledger set callee = 'other@kandy.example' where sequence = 2`);
      expect(chainFaults(await sampleEntries(store))).toEqual(['was altered']);
    });
  });
}
