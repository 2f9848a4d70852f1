import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { throwawayKey } from '@callpass/testkit';
import { migrateStore, openStore } from '../index.ts';
import { ledgerSuite } from '../testing/ledger-suite.ts';
import { postgresServer, type PostgresServer } from '@callpass/testkit/postgres-server';
import { storeSuite } from '../testing/store-suite.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await postgresServer();
}, 60_000);
afterAll(() => server.remove());

storeSuite('a store on PostgreSQL', () => server.freshDatabase());
it('tells the time of its own clock, and that it has this machine’s where it is reached on loopback', async () => {
  const { url, remove } = await server.freshDatabase();
  const sealKey = throwawayKey();
  await migrateStore({ url, sealKey });
  const store = await openStore({ url, sealKey });
  try {
    const beforeMs = Date.now();
    const { databaseMs, elsewhere } = await store.readTimes(0);
    expect(databaseMs).toBeGreaterThanOrEqual(beforeMs - 1);
    expect(databaseMs).toBeLessThanOrEqual(Date.now() + 1);
    expect(elsewhere).toBe(false);
  } finally {
    await store.close();
    await remove();
  }
});

ledgerSuite('a store on PostgreSQL', () => server.freshDatabase());
