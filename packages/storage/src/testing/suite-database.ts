import { afterEach, beforeEach } from '@jest/globals';
import type { Store } from '@callpass/domain';
import { throwawayKey } from '@callpass/testkit';
import type { TestDatabase } from '@callpass/testkit/postgres-server';
import { openStore, type OpenStoreOptions } from '../index.ts';

/** Database of each test of a suite, a new one for each. */
export interface SuiteDatabase {
  readonly url: string;
  readonly sealKey: Uint8Array;
  /** Opens a store on it, which is closed at the end of the test. */
  open(options?: Partial<OpenStoreOptions>): Promise<Store>;
  /** The stores that the test has opened. */
  readonly stores: readonly Store[];
  /** All that it holds, as bytes. */
  dump(): Promise<Buffer>;
}

/** Gives each test of this suite a database of its own. */
export function suiteDatabase(freshDatabase: () => Promise<TestDatabase>): SuiteDatabase {
  const sealKey = throwawayKey();
  let database: TestDatabase;
  let stores: Store[];
  beforeEach(async () => {
    database = await freshDatabase();
    stores = [];
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await database.remove();
  });
  return {
    get url() {
      return database.url;
    },
    sealKey,
    async open(options = {}) {
      const store = await openStore({ url: database.url, sealKey, ...options });
      stores.push(store);
      return store;
    },
    get stores() {
      return stores;
    },
    dump: () => database.dump(),
  };
}
