import { execFileSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite from 'better-sqlite3';
import type { SharedCommit } from '@callpass/domain';
import { sampleEntry, throwawayKey } from '@callpass/testkit';
import { migrateStore, openStore, storeFile, type StoreLimits } from '../index.ts';
import { chainFaults, sampleEntries } from '../testing/chains.ts';
import { startChild } from '../testing/child.ts';
import { expectNothingLostByKills } from '../testing/kill-under-load.ts';
import { sqliteTestDatabase } from '../testing/sqlite-test-database.ts';
import { suiteDatabase } from '../testing/suite-database.ts';

const REALM = 'support.example';
const NOW_MS = 1_800_000_000_000;

describe('a store on SQLite', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  const database = suiteDatabase(sqliteTestDatabase);
  const { sealKey } = database;
  const path = () => storeFile(database.url) as string;
  const open = (limits: Partial<StoreLimits> = {}) => database.open({ limits });
  const load = (prefix: string, limitKilobytes?: number) => {
    const child = startChild('load-child.ts', [database.url, hex(sealKey), prefix], limitKilobytes);
    children.push(child);
    return { child, lines: createInterface({ input: child.stdout as NodeJS.ReadableStream }) };
  };

  beforeEach(() => migrateStore({ url: database.url, sealKey }));

  it('keeps its files to their owner', async () => {
    const store = await open();
    await store.record(sampleEntry());
    for (const file of [path(), `${path()}-wal`, `${path()}-shm`]) {
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    }
  });

  it('does not make folders', async () => {
    const url = `sqlite:${path()}-folder/store.db`;
    await expect(migrateStore({ url, sealKey })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('does not take another file for a database', async () => {
    const folder = `${path()}-folder`;
    await mkdir(folder);
    await expect(migrateStore({ url: `sqlite:${folder}`, sealKey })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });

  it('refuses within its limit while another process holds the lock, still reads, and then goes on', async () => {
    const store = await open({ lockMs: 200, recordMs: 2_000 });
    const other = new BetterSqlite(path());
    other.exec('begin immediate');
    const startMs = performance.now();
    await expect(store.record(sampleEntry({ issuanceId: 'refused' }))).rejects.toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
    });
    expect(performance.now() - startMs).toBeLessThan(2_000);
    await expect(store.stateVersion()).resolves.toBe(0);
    other.exec('rollback');
    other.close();
    await expect(store.record(sampleEntry({ issuanceId: 'after' }))).resolves.toEqual({
      outcome: 'recorded',
    });
    expect((await sampleEntries(store)).map((entry) => entry.issuanceId)).toEqual(['after']);
  });

  it('tells of each of several commits under way how large it was', async () => {
    const store = await open();
    const commits = new Set<SharedCommit>();
    const record = (client: string) =>
      store.record(sampleEntry({ client }), { onCommit: (commit) => commits.add(commit) });
    // Enough for a commit each, so that the second is under way before the first has come back.
    await Promise.all([
      ...Array.from({ length: 48 }, () => record('short')),
      ...Array.from({ length: 96 }, () => record('l'.repeat(1000))),
    ]);
    const [first, second] = [...commits];
    expect([first?.size, second?.size]).toEqual([48, 96]);
    expect((second?.bytes ?? 0) / 96 - (first?.bytes ?? 0) / 48).toBe(1000 - 'short'.length);
  });

  it('leaves nothing of a destroyed key in its files', async () => {
    const store = await open();
    await store.record(sampleEntry(), {
      change: {
        kind: 'addKey',
        realm: REALM,
        version: 1,
        keyText: throwawayKey(16),
        fingerprint: '00112233aabbccdd',
        createTimeMs: NOW_MS,
      },
    });
    const reader = new BetterSqlite(path());
    const sealed = reader.prepare('select sealed_text from realm_keys').pluck().get() as Buffer;
    reader.close();
    expect((await database.dump()).includes(sealed)).toBe(true);
    await store.record(sampleEntry(), {
      change: {
        kind: 'moveKeys',
        moves: [{ realm: REALM, version: 1, from: 'PENDING', to: 'DESTROYED', timeMs: NOW_MS }],
      },
    });
    expect((await database.dump()).includes(sealed)).toBe(false);
  });

  it(
    'has every acknowledged record and an unbroken chain after kill -9 under load, three times',
    () => expectNothingLostByKills(database),
    60_000,
  );

  it('refuses when the disk takes no more, and goes on by itself when it does', async () => {
    const { child, lines } = load('disk', 400);
    const acknowledged: string[] = [];
    let refused = 0;
    let afterRelief = 0;
    for await (const line of lines) {
      if (line.startsWith('refused')) {
        expect(line).toBe('refused LEDGER_UNAVAILABLE');
        if (++refused === 100) execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
      } else if (line !== 'ready') {
        acknowledged.push(line);
        if (refused >= 100 && ++afterRelief === 200) child.stdin?.end();
      }
    }
    expect(refused).toBeGreaterThanOrEqual(100);
    const store = await open();
    const entries = await sampleEntries(store);
    const recorded = new Set(entries.map((entry) => entry.issuanceId));
    expect(acknowledged.filter((id) => !recorded.has(id))).toEqual([]);
    expect(chainFaults(entries)).toEqual([]);
  }, 60_000);

  it.each([
    [
      'is held by another process',
      (file: BetterSqlite.Database) => file.exec('begin exclusive'),
      /another process holds the file; .* \[SQLITE_BUSY\]/,
    ],
    [
      'is damaged at its beginning',
      (file: BetterSqlite.Database) => {
        file.close();
        writeFileSync(path(), 'x'.repeat(100), { flag: 'r+' });
      },
      /the file is no database, or it is damaged; .* \[SQLITE_NOTADB\]/,
    ],
    [
      'is damaged further on',
      (file: BetterSqlite.Database) => {
        file.close();
        const bytes = readFileSync(path());
        writeFileSync(path(), bytes.fill(0xee, 100));
      },
      /its data is damaged; .* restore a backup \[SQLITE_CORRUPT\]/,
    ],
    [
      'is a folder',
      (file: BetterSqlite.Database) => {
        file.close();
        rmSync(path());
        mkdirSync(path());
      },
      /; .* \[(EISDIR|SQLITE_CANTOPEN\w*)\]/,
    ],
  ])('says what to do about a file that %s, without words of the driver', async (_name, harm, text) => {
    const file = new BetterSqlite(path());
    file.pragma('journal_mode = DELETE');
    harm(file);
    const { message } = await openStore({ url: database.url, sealKey }).then(
      () => new Error('opened'),
      (error: unknown) => error as Error,
    );
    file.close();
    expect(message).toMatch(text);
    expect(message).toContain(path());
    expect(message).not.toMatch(
      /database is locked|file is not a database|malformed|unable to open|SqliteError|there is no store/,
    );
  });

  it('opens no file that is not a database, and leaves it as it is', async () => {
    const file = `${path()}-text`;
    await writeFile(file, 'not a database '.repeat(100));
    await expect(openStore({ url: `sqlite:${file}`, sealKey })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(await readFile(file, 'utf8')).toBe('not a database '.repeat(100));
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
