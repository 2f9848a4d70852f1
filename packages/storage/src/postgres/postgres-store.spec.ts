import { afterAll, beforeAll } from '@jest/globals';
import { ledgerSuite } from '../testing/ledger-suite.ts';
import { postgresServer, type PostgresServer } from '@callpass/testkit/postgres-server';
import { storeSuite } from '../testing/store-suite.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await postgresServer();
}, 60_000);
afterAll(() => server.remove());

storeSuite('a store on PostgreSQL', () => server.freshDatabase());
ledgerSuite('a store on PostgreSQL', () => server.freshDatabase());
