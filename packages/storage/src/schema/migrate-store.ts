import { StoreError } from '@callpass/domain';
import { PATIENT_LIMITS } from '../limits.ts';
import { openDatabase } from '../open-database.ts';
import type { Sealer } from '../seal/sealer.ts';
import { storePlace } from '../store-url.ts';
import { isStore, migrateDatabase } from './migrate.ts';

/** Steps that brought a store to this version's schema. */
export interface Migrated {
  /** Names of the migrations that were applied. */
  readonly applied: readonly string[];
  /** True where there was no store before. */
  readonly created: boolean;
}

/** See `migrateStore`. Its errors do not say where the store is, but for `SCHEMA_OUTDATED`. */
export async function migrateStoreAt(
  url: string,
  sealer: Sealer,
  { create }: { readonly create: boolean },
): Promise<Migrated> {
  const database = await openDatabase(url, { limits: PATIENT_LIMITS, create });
  try {
    const created = !(await isStore(database));
    if (created && !create) throw new StoreError('SCHEMA_OUTDATED', `${storePlace(url)} holds no store`);
    return { ...(await migrateDatabase(database, sealer)), created };
  } finally {
    await database.close();
  }
}
