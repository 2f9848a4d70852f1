import { beforeEach, describe, expect, it } from '@jest/globals';
import { verifyLedger, type LedgerFault, type Store } from '@callpass/domain';
import { ENTRY_VERSION } from '@callpass/ledger';
import { sampleEntry, throwawayKey } from '@callpass/testkit';
import type { Updateable } from 'kysely';
import { migrateStore, resealStore } from '../index.ts';
import type { LedgerRow, ChainRow } from '../schema/tables.ts';
import { suiteDatabase } from './suite-database.ts';
import { tamper, tamperSql } from './test-database.ts';
import type { TestDatabase } from '@callpass/testkit/postgres-server';

const NOW_MS = 1_800_000_000_000;
const OTHER_BYTES = new Uint8Array(32).fill(1);

/** Every column that says something about an entry, with another value for it. `position` is only where the row lies. */
const ALTERATIONS: { [Column in Exclude<keyof LedgerRow, 'position'>]: Updateable<LedgerRow>[Column] } = {
  writer: 2,
  sequence: 99,
  version: ENTRY_VERSION + 1,
  kind: 2,
  time_ms: NOW_MS + 1,
  client: 'other',
  destination: 'other',
  realm: 'other.example',
  key_version: 4,
  callee: 'other@kandy.example',
  caller: 'other@kandy.example',
  subject_hash: 'f'.repeat(32),
  reason: 'other',
  rule: 'other',
  configuration_revision: 8,
  trace_id: 'f'.repeat(32),
  issuance_id: '019b0000-0000-7000-8000-000000000001',
  expire_time_ms: NOW_MS,
  fingerprints: new Uint8Array(48),
  previous_hash: OTHER_BYTES,
  hash: OTHER_BYTES,
  change_number: 9,
  change_hash: 'f'.repeat(64),
};

/** That verifying finds whatever is done to a ledger behind the store's back, on one kind of database. */
export function ledgerSuite(name: string, freshDatabase: () => Promise<TestDatabase>): void {
  describe(`${name} shows what was done to its ledger`, () => {
    const database = suiteDatabase(freshDatabase);
    const { sealKey, open } = database;
    let store: Store;
    const faults = async (): Promise<readonly LedgerFault[]> => (await verifyLedger(store)).faults;
    const alterEntry = (sequence: number, columns: Updateable<LedgerRow>) =>
      tamper(database.url, (db) =>
        db
          .updateTable('ledger')
          .set(columns)
          .where('writer', '=', 1)
          .where('sequence', '=', sequence)
          .execute(),
      );
    const alterChain = (columns: Updateable<ChainRow>) =>
      tamper(database.url, (db) =>
        db.updateTable('ledger_writers').set(columns).where('number', '=', 1).execute(),
      );
    const chainRow = () =>
      tamper(database.url, (db) =>
        db.selectFrom('ledger_writers').selectAll().where('number', '=', 1).executeTakeFirstOrThrow(),
      );
    const cutTail = () => tamperSql(database.url, 'delete from ledger where writer = 1 and sequence > 5');
    const remove = (by = store) =>
      by.removeEntries({
        beforeTimeMs: NOW_MS + 4,
        entry: { kind: 'ENTRIES_REMOVED', timeMs: NOW_MS + 9, client: 'operator' },
      });

    beforeEach(async () => {
      await migrateStore({ url: database.url, sealKey });
      store = await open({ writerId: 'first' });
      for (let at = 0; at < 7; at++) await store.record(sampleEntry({ timeMs: NOW_MS + at }));
      await (await open({ writerId: 'second' })).record(sampleEntry());
    });

    it('finds nothing wrong with what nobody touched', async () => {
      expect(await verifyLedger(store)).toMatchObject({ entryCount: 8, faults: [] });
    });

    it('places an entry of which one column was altered, whichever it is', async () => {
      const original = await tamper(database.url, (db) =>
        db
          .selectFrom('ledger')
          .selectAll()
          .where('writer', '=', 1)
          .where('sequence', '=', 4)
          .executeTakeFirstOrThrow(),
      );
      const { position, ...columns } = original;
      const restore = () =>
        tamper(database.url, (db) =>
          db.updateTable('ledger').set(columns).where('position', '=', position).execute(),
        );
      const alterations = [
        ...Object.entries(ALTERATIONS),
        ['kind', 99],
        ['fingerprints', null],
        ['fingerprints', new Uint8Array([...(original.fingerprints ?? []), 0])],
      ] as [string, unknown][];
      expect(alterations.map(([column]) => column)).toEqual(expect.arrayContaining(Object.keys(columns)));
      for (const [column, value] of alterations) {
        await alterEntry(4, { [column]: value });
        expect([column, await faults()]).toEqual([
          column,
          expect.arrayContaining([expect.objectContaining({ writerId: 'first', sequence: 4 })]),
        ]);
        await restore();
      }
      expect(await faults()).toEqual([]);
    }, 30_000);

    it('does not take an unknown kind for a known one', async () => {
      await store.record({ kind: 'REFUSED', timeMs: NOW_MS + 7, client: 'web-edge' });
      await alterEntry(8, { kind: 99 });
      expect(await faults()).toEqual([{ writerId: 'first', sequence: 8, text: 'was altered' }]);
    });

    it('places a row that was removed, also when the next is put in its place', async () => {
      await tamperSql(database.url, 'delete from ledger where writer = 1 and sequence = 3');
      expect(await faults()).toEqual([{ writerId: 'first', sequence: 3, text: 'entry 3 is missing' }]);
      await tamperSql(database.url, 'update ledger set sequence = 3 where writer = 1 and sequence = 4');
      expect(await faults()).toMatchObject([{ writerId: 'first', sequence: 3 }]);
    });

    it('places a tail that was cut, also when its recorded end is forged to fit', async () => {
      await cutTail();
      expect(await faults()).toEqual([{ writerId: 'first', sequence: 6, text: 'entry 6 is missing' }]);
      const [last] = await store.readChain({ writerId: 'first', afterSequence: 4, limit: 1 });
      await alterChain({ head_sequence: 5, head_hash: last?.hash ?? OTHER_BYTES });
      expect(await faults()).toMatchObject([{ writerId: 'first', sequence: 5 }]);
    });

    it('misses a chain that was removed as a whole', async () => {
      await tamperSql(database.url, 'delete from ledger where writer = 1');
      await tamperSql(database.url, 'delete from ledger_writers where number = 1');
      expect(await faults()).toMatchObject([
        { writerId: 'chain 1', text: 'the chain is missing as a whole' },
      ]);
    });

    it('verifies after retention, under another key-encryption key too, and goes on', async () => {
      expect(await remove()).toBe(4);
      await store.record(sampleEntry());
      expect(await verifyLedger(store)).toMatchObject({ entryCount: 6, faults: [] });
      expect(await chainRow()).toMatchObject({ anchor_sequence: 4, head_sequence: 9 });
      await Promise.all(database.stores.map((opened) => opened.close()));
      const newKey = throwawayKey();
      await resealStore({ url: database.url, oldKey: sealKey, newKey });
      store = await open({ sealKey: newKey, writerId: 'first' });
      await store.record(sampleEntry());
      expect(await verifyLedger(store)).toMatchObject({ entryCount: 7, faults: [] });
    });

    it('shows an anchor that somebody set, moved, put back, took away or brought from another chain', async () => {
      const untouched = await chainRow();
      const [, , third] = await store.readChain({ writerId: 'first', afterSequence: 0, limit: 3 });
      const forged = { anchor_sequence: 3, anchor_hash: third?.hash ?? null };
      const none = { anchor_sequence: null, anchor_hash: null, anchor_mac: null };
      const shown = async (columns: Updateable<ChainRow>) => {
        await alterChain(columns);
        const found = await faults();
        await alterChain(untouched);
        return found;
      };
      const notGenuine = [
        { writerId: 'first', sequence: 7, text: 'the recorded ends of the chain were altered' },
      ];
      expect(await shown(forged)).toEqual(notGenuine);
      expect(await shown({ ...forged, anchor_mac: untouched.head_mac })).toEqual(notGenuine);

      await remove();
      const removed = await chainRow();
      const [fifth, sixth] = await store.readChain({ writerId: 'first', afterSequence: 4, limit: 2 });
      const altered = { writerId: 'first', sequence: 8, text: notGenuine[0]?.text };
      for (const columns of [
        { anchor_sequence: 6, anchor_hash: sixth?.hash ?? null },
        { anchor_sequence: 5, anchor_hash: fifth?.hash ?? null },
        { anchor_hash: OTHER_BYTES },
        { anchor_mac: OTHER_BYTES },
        { anchor_sequence: null },
        { anchor_mac: null },
      ]) {
        await alterChain(columns);
        expect(await faults()).toEqual([altered]);
        await alterChain(removed);
      }
      await alterChain(none);
      expect(await faults()).toEqual([{ writerId: 'first', sequence: 1, text: 'entry 1 is missing' }]);
      await alterChain(removed);
      const { anchor_sequence, anchor_hash, anchor_mac } = removed;
      await tamper(database.url, (db) =>
        db
          .updateTable('ledger_writers')
          .set({ anchor_sequence, anchor_hash, anchor_mac })
          .where('number', '=', 2)
          .execute(),
      );
      expect(await faults()).toMatchObject([{ writerId: 'second' }]);
    }, 30_000);

    it('removes nothing of a chain whose ends it did not record, and says what is wrong with it', async () => {
      await alterChain({ head_mac: OTHER_BYTES });
      expect(await remove(database.stores[1])).toBe(0);
      expect(await faults()).toMatchObject([{ writerId: 'first', sequence: 7 }]);
    });

    it('removes nothing from an entry on that does not hold', async () => {
      await alterEntry(3, { callee: 'other@kandy.example' });
      expect(await remove()).toBe(2);
      expect(await faults()).toEqual([{ writerId: 'first', sequence: 3, text: 'was altered' }]);
    });
  });
}
