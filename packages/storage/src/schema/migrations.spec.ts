import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import BetterSqlite from 'better-sqlite3';
import { ENTRY_KINDS, KeyedHash, verifyLedger } from '@callpass/domain';
import { sampleEntry } from '@callpass/testkit';
import pg from 'pg';
import { migrateStore, openStore } from '../index.ts';
import { postgresServer, type PostgresServer } from '@callpass/testkit/postgres-server';
import { sqliteTestDatabase } from '../testing/sqlite-test-database.ts';
import type { TestDatabase } from '@callpass/testkit/postgres-server';

/** The key-encryption key of the dumps: worth nothing. */
const DUMP_SEAL_KEY = new Uint8Array(32).fill(7);
const DUMP_TIME_MS = 1_800_000_000_000;

let server: PostgresServer;
beforeAll(async () => {
  server = await postgresServer();
}, 60_000);
afterAll(() => server.remove());

const DATABASES: Record<string, (schema: string) => Promise<TestDatabase>> = {
  sqlite: async (schema) => {
    const database = await sqliteTestDatabase();
    const file = new BetterSqlite(database.path);
    file.exec(await dump(`${schema}.sqlite.sql`));
    file.close();
    return database;
  },
  postgres: async (schema) => {
    const database = await server.freshDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(await dump(`${schema}.postgres.sql`));
    await client.end();
    return database;
  },
};

describe.each(Object.entries(DATABASES))('a store of schema 0001 on %s', (_, restore) => {
  it('is not opened before it is migrated', async () => {
    const database = await restore('0001');
    await expect(openStore({ url: database.url, sealKey: DUMP_SEAL_KEY })).rejects.toMatchObject({
      code: 'SCHEMA_OUTDATED',
    });
    await database.remove();
  });

  it('is migrated with all that it holds, verifies, goes on and can be shortened', async () => {
    const database = await restore('0001');
    const options = { url: database.url, sealKey: DUMP_SEAL_KEY };
    expect(await migrateStore(options)).toEqual({
      applied: ['0002-anchors', '0003-entry-version', '0004-sealed-state'],
      created: false,
    });
    const store = await openStore({ ...options, writerId: 'instance-1' });

    const state = await store.loadState();
    expect(text(state.revision?.document)).toBe('a configuration of schema 0001');
    expect(state.keys).toMatchObject([{ realm: 'support.example', version: 1, state: 'ACTIVE' }]);
    expect(text(state.keys[0]?.keyText)).toBe('throw-away-key-1');
    expect(state.freezes).toMatchObject([{ scope: { kind: 'DESTINATION', value: 'sales' } }]);
    const remembered = { client: 'web-edge', requestId: '8d0f', nowMs: DUMP_TIME_MS };
    expect(text((await store.findAnswer(remembered))?.answer)).toBe('the answer');
    const [issued] = await store.findIssued({ realm: 'support.example', timeMs: DUMP_TIME_MS + 4000 });
    expect(issued?.fingerprints).toEqual(
      new KeyedHash(store.ledgerSecret).tokens({ account: 'ACCOUNT4', from: 'FROM4', to: 'TO4' }),
    );

    expect(await verifyLedger(store)).toMatchObject({
      entryCount: 12,
      faults: [],
      chains: [{ writerId: 'instance-1', number: 1, anchor: { sequence: 0 }, head: { sequence: 12 } }],
    });
    await store.record(sampleEntry({ timeMs: DUMP_TIME_MS + 20_000 }));
    const removed = await store.removeEntries({
      beforeTimeMs: DUMP_TIME_MS + 6000,
      entry: { kind: 'ENTRIES_REMOVED', timeMs: DUMP_TIME_MS + 21_000, client: 'operator' },
    });
    expect(removed).toBe(6);
    expect(await verifyLedger(store)).toMatchObject({ entryCount: 8, faults: [] });
    await store.close();
    await database.remove();
  });
});

describe.each(Object.entries(DATABASES))('a store of schema 0002 on %s', (_, restore) => {
  it('verifies with every kind of entry and with chains that begin at anchors, and goes on', async () => {
    const database = await restore('0002');
    const options = { url: database.url, sealKey: DUMP_SEAL_KEY };
    expect(await migrateStore(options)).toEqual({
      applied: ['0003-entry-version', '0004-sealed-state'],
      created: false,
    });
    const store = await openStore({ ...options, writerId: 'instance-1' });

    const chain = (number: number, first: number, last: number) => ({
      writerId: `instance-${number}`,
      number,
      anchor: { sequence: first - 1 },
      head: { sequence: last },
      genuine: true,
    });
    expect(await verifyLedger(store)).toMatchObject({
      entryCount: 23,
      faults: [],
      chains: [chain(1, 4, 14), chain(2, 3, 8), chain(3, 1, 6)],
    });
    const entries = (await store.listEntries({ afterPosition: 0, limit: 100 })).map(({ entry }) => entry);
    expect(new Set(entries.map(({ version }) => version))).toEqual(new Set([1]));
    expect(new Set(entries.map(({ kind }) => kind))).toEqual(new Set(Object.keys(ENTRY_KINDS)));
    const [issued] = await store.findIssued({ realm: 'support.example', timeMs: DUMP_TIME_MS + 7000 });
    const keyedHash = new KeyedHash(store.ledgerSecret);
    expect(issued?.subjectHash).toBe(keyedHash.subject('visitor-7000'));
    expect(issued?.fingerprints).toEqual(
      keyedHash.tokens({ account: 'ACCOUNT7000', from: 'FROM7000', to: 'TO7000' }),
    );

    await store.record(sampleEntry({ timeMs: DUMP_TIME_MS + 30_000 }));
    const removed = await store.removeEntries({
      beforeTimeMs: DUMP_TIME_MS + 14_000,
      entry: { kind: 'ENTRIES_REMOVED', timeMs: DUMP_TIME_MS + 31_000, client: 'operator' },
    });
    expect(removed).toBe(15);
    expect(await verifyLedger(store)).toMatchObject({ entryCount: 10, faults: [] });
    await store.close();
    await database.remove();
  });
});

function dump(name: string): Promise<string> {
  return readFile(new URL(`../testing/dumps/${name}`, import.meta.url), 'utf8');
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('utf8');
}
