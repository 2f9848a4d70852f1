import { readFile, stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite from 'better-sqlite3';
import { sampleEntry, throwawayKey } from '@callpass/testkit';
import { backUpStore, migrateStore, openStore } from '../index.ts';
import { sqliteTestDatabase } from '../testing/sqlite-test-database.ts';

describe('a backup of a store on SQLite', () => {
  const sealKey = throwawayKey();
  let database: Awaited<ReturnType<typeof sqliteTestDatabase>>;
  let to: string;

  beforeEach(async () => {
    database = await sqliteTestDatabase();
    to = `${database.path}.backup`;
    await migrateStore({ url: database.url, sealKey });
  });

  afterEach(() => database.remove());

  it("holds what was recorded before, while the store is open, and is its owner's only", async () => {
    const store = await openStore({ url: database.url, sealKey });
    await store.record(sampleEntry());
    await backUpStore({ url: database.url, to });
    await store.record(sampleEntry());
    await store.close();
    expect((await stat(to)).mode & 0o777).toBe(0o600);
    const restored = await openStore({ url: `sqlite:${to}`, sealKey });
    const [chain] = await restored.listChains();
    await restored.close();
    expect(chain).toMatchObject({ genuine: true, head: { sequence: 1 } });
  });

  it('replaces no file and leaves nothing half done', async () => {
    await writeFile(to, 'precious');
    await expect(backUpStore({ url: database.url, to })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('EEXIST'),
    });
    expect(await readFile(to, 'utf8')).toBe('precious');
    await expect(stat(`${to}.partial`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is not made of what is no store', async () => {
    const nowhere = `sqlite:${database.path}.nowhere`;
    await expect(backUpStore({ url: nowhere, to })).rejects.toMatchObject({
      code: 'SCHEMA_OUTDATED',
      message: `there is no store at ${database.path}.nowhere`,
    });
    await expect(stat(to)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(stat(`${database.path}.nowhere`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is an ordinary SQLite file without a log beside it', async () => {
    await backUpStore({ url: database.url, to });
    const copy = new BetterSqlite(to, { readonly: true });
    expect(copy.pragma('integrity_check', { simple: true })).toBe('ok');
    copy.close();
    await expect(stat(`${to}-wal`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is for SQLite only', async () => {
    await expect(backUpStore({ url: 'postgres://x/y', to })).rejects.toThrow(TypeError);
  });
});
