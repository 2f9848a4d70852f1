import { ledgerSuite } from '../testing/ledger-suite.ts';
import { sqliteTestDatabase } from '../testing/sqlite-test-database.ts';
import { storeSuite } from '../testing/store-suite.ts';

storeSuite('a store on SQLite', sqliteTestDatabase);
ledgerSuite('a store on SQLite', sqliteTestDatabase);
