import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '@callpass/domain';
import { sampleEntry } from '@callpass/testkit';
import { migrateStore, type StoreLimits } from '../index.ts';
import { chainFaults, sampleEntries } from '../testing/chains.ts';
import { expectNothingLostByKills } from '../testing/kill-under-load.ts';
import { ownPostgresServer, type OwnPostgresServer } from '@callpass/testkit/postgres-server';
import { suiteDatabase } from '../testing/suite-database.ts';
import { tamperSql } from '../testing/test-database.ts';

const LIMITS = { recordMs: 1_000, readMs: 1_000, lockMs: 300 };
const LITTLE_MORE_MS = 300;

describe('a store on PostgreSQL', () => {
  let server: OwnPostgresServer;
  const database = suiteDatabase(() => server.freshDatabase());
  const { sealKey } = database;
  const open = (limits: Partial<StoreLimits> = LIMITS) => database.open({ limits });

  beforeAll(async () => {
    server = await ownPostgresServer();
  }, 60_000);

  afterAll(() => server.remove());

  beforeEach(() => migrateStore({ url: database.url, sealKey }));

  const changed = (change: (url: URL) => void) => {
    const url = new URL(database.url);
    change(url);
    return url.href;
  };
  it.each([
    ['a wrong password', (url: URL) => (url.password = 'canary-1'), /user or the password; .* \[28P01\]$/],
    ['no password', (url: URL) => (url.password = ''), /a password; put it into the URL$|\[28P01\]$/],
    ['a user that is none', (url: URL) => (url.username = 'canary'), /user or the password; .* \[28P01\]$/],
    ['a database that is none', (url: URL) => (url.pathname = '/gone'), /no such database; .* \[3D000\]$/],
    ['TLS that it does not speak', (url: URL) => (url.search = '?sslmode=require'), /no TLS there; check/],
    ['a port where nothing is', (url: URL) => (url.port = '1'), /start it, or check .* \[ECONNREFUSED\]$/],
    [
      'a host that is none',
      (url: URL) => (url.hostname = 'gone.invalid'),
      /name .*; .* \[(ENOTFOUND|EAI_AGAIN)\]$/,
    ],
  ])('says what to do about %s, without words of the driver', async (_name, change, text) => {
    const url = changed(change);
    const { message } = await migrateStore({ url, sealKey }).then(
      () => new Error('migrated'),
      (error: unknown) => error as Error,
    );
    expect(message).toMatch(/^the database \S+ at \S+:\d+/);
    expect(message).toMatch(text);
    expect(message).not.toMatch(/canary-1|SASL|authentication failed|getaddrinfo|connect E|SSL/);
  });

  it('refuses while the server is stopped, and goes on by itself when it is back', async () => {
    const store = await open();
    await store.record(sampleEntry({ issuanceId: 'before' }));
    await server.stop();
    await expect(within(store.record(sampleEntry()))).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await expect(within(store.stateVersion())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await server.start();
    await untilRecorded(store, 'after');
    const entries = await sampleEntries(store);
    expect(entries.map((entry) => entry.issuanceId)).toEqual(['before', 'after']);
    expect(chainFaults(entries)).toEqual([]);
  });

  it('does not hang when the server no longer answers, and keeps its chain when late commits arrive after all', async () => {
    const store = await open();
    await store.record(sampleEntry({ issuanceId: 'before' }));
    server.freeze();
    try {
      const hopeless = Array.from({ length: 20 }, (_, index) =>
        within(store.record(sampleEntry({ issuanceId: `late-${index}` }))).catch(codeOf),
      );
      expect(new Set(await Promise.all(hopeless))).toEqual(new Set(['LEDGER_UNAVAILABLE']));
      await expect(within(store.loadState())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await expect(within(store.probe())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await expect(within(store.record(sampleEntry()))).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    } finally {
      server.thaw();
    }
    await untilRecorded(store, 'after');
    const entries = await sampleEntries(store);
    expect(entries.map((entry) => entry.issuanceId)).toContain('before');
    expect(entries.map((entry) => entry.issuanceId)).toContain('after');
    expect(chainFaults(entries)).toEqual([]);
  }, 30_000);

  it('refuses within its limit while another session locks the ledger, and then goes on', async () => {
    const store = await open();
    await store.record(sampleEntry());
    const locking = tamperSql(
      database.url,
      `begin; lock table ledger in access exclusive mode; select pg_sleep(0.8); commit`,
    );
    await untilRefused(store);
    await locking;
    await untilRecorded(store, 'after');
    expect(chainFaults(await sampleEntries(store))).toEqual([]);
  });

  it('loses neither a record nor its chain when the server drops its connections', async () => {
    const store = await open();
    await store.record(sampleEntry({ issuanceId: 'before' }));
    await tamperSql(
      database.url,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await untilRecorded(store, 'after');
    await expect(store.stateVersion()).resolves.toBe(0);
    const entries = await sampleEntries(store);
    expect(entries.map((entry) => entry.issuanceId)).toEqual(['before', 'after']);
    expect(chainFaults(entries)).toEqual([]);
  });

  it('tells every instance that the state changed, also after its connections were dropped', async () => {
    const [here, there] = [await open(), await open()];
    const told = () =>
      new Promise<void>((resolve) => {
        const stop = there.onStateChanged?.(() => {
          stop?.();
          resolve();
        });
      });
    // The first message is the one for connecting.
    await told();
    let message = told();
    await here.record(sampleEntry(), { change: FREEZE });
    await message;
    await expect(there.stateVersion()).resolves.toBe(1);

    message = told();
    await tamperSql(
      database.url,
      `select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' and datname = current_database()`,
    );
    await message;
  });

  it(
    'has every acknowledged record and an unbroken chain after kill -9 under load, three times',
    () => expectNothingLostByKills(database),
    60_000,
  );
});

const FREEZE = {
  kind: 'freeze',
  freeze: {
    scope: { kind: 'REALM', value: 'support.example' },
    reason: 'fraud suspected',
    freezeTimeMs: 0,
    untilMs: undefined,
    frozenBy: 'operator',
  },
} as const;

/** Fails the test when a call takes longer than the store's limits allow. */
async function within<T>(call: Promise<T>): Promise<T> {
  const startMs = performance.now();
  try {
    return await call;
  } finally {
    expect(performance.now() - startMs).toBeLessThan(LIMITS.recordMs + LITTLE_MORE_MS);
  }
}

function codeOf(error: { code?: string }): string | undefined {
  return error.code;
}

// While a commit is overdue a record is refused at once. The loops let what comes from the thread in between.

async function untilRecorded(store: Store, issuanceId: string): Promise<void> {
  while ((await store.record(sampleEntry({ issuanceId })).catch(codeOf)) === 'LEDGER_UNAVAILABLE') {
    await setImmediate();
  }
}

async function untilRefused(store: Store): Promise<void> {
  while ((await within(store.record(sampleEntry()).catch(codeOf))) !== 'LEDGER_UNAVAILABLE') {
    await setImmediate();
  }
}
