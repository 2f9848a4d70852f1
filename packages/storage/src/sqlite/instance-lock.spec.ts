import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lockStore } from '../index.ts';
import { sqliteTestDatabase } from '../testing/sqlite-test-database.ts';

describe('the lock of the servers on a file', () => {
  let database: Awaited<ReturnType<typeof sqliteTestDatabase>>;
  beforeEach(async () => {
    database = await sqliteTestDatabase();
  });
  afterEach(() => database.remove());

  it('keeps a second server away from one that is alone, and names it, until it is released', async () => {
    const first = await lockStore(database.url, 'alone');
    for (const mode of ['alone', 'shared'] as const) {
      await expect(lockStore(database.url, mode)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining(`process ${process.pid} on `),
      });
    }
    first.release();
    expect(existsSync(`${database.path}-lock.json`)).toBe(false);
    (await lockStore(database.url, 'alone')).release();
  });

  it('lets servers share a file whose limits are shared, but none that counts alone join them', async () => {
    const locks = [await lockStore(database.url, 'shared'), await lockStore(database.url, 'shared')];
    await expect(lockStore(database.url, 'alone')).rejects.toMatchObject({
      message: expect.stringContaining('which shares its limits'),
    });
    for (const lock of locks) lock.release();
    (await lockStore(database.url, 'alone')).release();
  });

  it('leaves a store on a database server unlocked', async () => {
    await lockStore('postgres://db.example/callpass', 'alone');
    (await lockStore('postgres://db.example/callpass', 'alone')).release();
  });
});
