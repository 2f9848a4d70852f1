import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sampleEntry, throwawayKey } from '@callpass/testkit';
import { storeConformance } from '@callpass/testkit/store-conformance';
import type { TestDatabase } from '@callpass/testkit/postgres-server';
import { backUpStore, migrateStore, openStore, storeFile, type Migrated } from '../index.ts';
import { chainSuite } from './chain-suite.ts';
import { runChild } from './child.ts';
import { sealingSuite } from './sealing-suite.ts';
import { NOW_MS, remember } from './state-changes.ts';
import { suiteDatabase } from './suite-database.ts';
import { tamper, tamperSql } from './test-database.ts';

/** The store's conformance, and what sealing, migrations and chains promise besides, on one kind of database. */
export function storeSuite(name: string, freshDatabase: () => Promise<TestDatabase>): void {
  storeConformance(name, async () => {
    const database = await freshDatabase();
    const sealKey = throwawayKey();
    await migrateStore({ url: database.url, sealKey });
    return { open: () => openStore({ url: database.url, sealKey }), remove: () => database.remove() };
  });

  describe(`${name}`, () => {
    const database = suiteDatabase(freshDatabase);
    const { sealKey, open } = database;

    describe('schema', () => {
      it('is outdated before the first migration and current after it', async () => {
        await expect(open()).rejects.toMatchObject({ code: 'SCHEMA_OUTDATED' });
        const { applied } = await migrateStore({ url: database.url, sealKey });
        expect(applied.length).toBeGreaterThan(0);
        await expect(open()).resolves.toBeDefined();
      });

      it('keeps everything when it is migrated again, and applies nothing', async () => {
        await migrateStore({ url: database.url, sealKey });
        const secret = Buffer.from((await open()).ledgerSecret).toString('hex');
        expect(await migrateStore({ url: database.url, sealKey })).toEqual({
          applied: [],
          created: false,
        });
        expect(Buffer.from((await open()).ledgerSecret).toString('hex')).toBe(secret);
      });

      it('is brought up to date by opening where that is asked for, and what was done is told', async () => {
        const told: Migrated[] = [];
        for (let start = 0; start < 2; start++) {
          const store = await open({ migrate: true, onMigrated: (migrated) => told.push(migrated) });
          await store.close();
        }
        expect(told).toEqual([
          { applied: expect.arrayContaining(['0001-state-and-ledger']), created: true },
          { applied: [], created: false },
        ]);
      });

      it('is told what was done to it also where it cannot be opened after that', async () => {
        const told: Migrated[] = [];
        const limits = { lockMs: -1 };
        const opening = open({ migrate: true, onMigrated: (migrated) => told.push(migrated), limits });
        await expect(opening).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
        expect(told).toMatchObject([{ created: true }]);
      });

      it('is made once when two processes migrate at once', async () => {
        const both = await Promise.all(
          [1, 2].map(() => runChild('migrate-child.ts', [database.url, hex(sealKey)])),
        );
        expect(both.join('')).toBe(
          '0001-state-and-ledger\n0002-anchors\n0003-entry-version\n0004-sealed-state',
        );
        await expect(open()).resolves.toBeDefined();
      });

      it('of a newer version is neither opened nor migrated', async () => {
        await migrateStore({ url: database.url, sealKey });
        await tamperSql(
          database.url,
          `insert into schema_migrations values ('9999-later', '2027-01-01T00:00:00Z')`,
        );
        await expect(open()).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW' });
        await expect(migrateStore({ url: database.url, sealKey })).rejects.toMatchObject({
          code: 'SCHEMA_TOO_NEW',
        });
      });
    });

    it('is backed up into a new file exactly if it is in a file itself', async () => {
      await migrateStore({ url: database.url, sealKey });
      const folder = await mkdtemp(join(tmpdir(), 'callpass-backup-'));
      const backedUp = await backUpStore({ url: database.url, to: join(folder, 'copy.db') }).then(
        () => true,
        (error: unknown) => !(error instanceof TypeError),
      );
      expect(backedUp).toBe(storeFile(database.url) !== undefined);
      expect(await readdir(folder)).toEqual(backedUp ? ['copy.db'] : []);
      await rm(folder, { recursive: true });
    });

    sealingSuite(database);

    chainSuite(database);

    it('starts another thread when it loses one, and says so to whoever waited for it', async () => {
      await migrateStore({ url: database.url, sealKey });
      const printed = await runChild('thread-loss-child.ts', [database.url, hex(sealKey)]);
      expect(JSON.parse(printed)).toEqual({
        outcome: 'STORE_UNAVAILABLE',
        version: 0,
        ids: ['before', 'after'],
        faults: [],
        threads: 3,
        withoutStore: storeFile(database.url) === undefined ? '0' : 'SCHEMA_OUTDATED',
      });
    }, 30_000);

    it('purges expired answers as new ones are remembered', async () => {
      await migrateStore({ url: database.url, sealKey });
      const store = await open();
      const remembered = (requestId: string, nowMs: number) => ({
        ...remember(Buffer.from('answer')),
        requestId,
        nowMs,
        expireTimeMs: nowMs + 600_000,
      });
      await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          store.record(sampleEntry(), { change: remembered(`old-${index}`, NOW_MS) }),
        ),
      );
      for (const requestId of ['new-1', 'new-2', 'new-3']) {
        await store.record(sampleEntry(), { change: remembered(requestId, NOW_MS + 600_000) });
      }
      const left = await tamper(database.url, (db) =>
        db.selectFrom('answers').select('request_id').execute(),
      );
      expect(left.map((row) => row.request_id).sort()).toEqual(['new-1', 'new-2', 'new-3']);
    });
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
