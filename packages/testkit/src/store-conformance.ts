import { afterEach, beforeEach, describe } from '@jest/globals';
import type { Store } from '@callpass/domain';
import { ledgerConformance, type ConformanceDatabase } from './ledger-conformance.ts';
import { answerConformance } from './store/answers.ts';
import { entryConformance } from './store/entries.ts';
import { keyConformance } from './store/keys.ts';
import { openingConformance } from './store/opening.ts';
import { stateConformance } from './store/state.ts';

const SUBJECTS = [entryConformance, stateConformance, keyConformance, answerConformance, openingConformance];

/** Conformance tests of the store port. Every store must pass them. */
export function storeConformance(name: string, openFresh: () => Promise<ConformanceDatabase>): void {
  ledgerConformance(name, openFresh);

  describe(`${name} keeps the store's promises`, () => {
    let database: ConformanceDatabase;
    let stores: Store[];
    const another = async () => {
      const store = await database.open();
      stores.push(store);
      return store;
    };

    beforeEach(async () => {
      database = await openFresh();
      stores = [];
      await another();
    });
    afterEach(async () => {
      await Promise.all(stores.map((store) => store.close()));
      await database.remove();
    });

    const opened = {
      get store() {
        return stores[0] as Store;
      },
      another,
    };
    for (const subject of SUBJECTS) subject(opened);
  });
}
