import { StoreError } from '@callpass/domain';
import type { Database } from './database/database.ts';
import type { StoreLimits } from './limits.ts';
import { createSqliteFile, SqliteDatabase } from './sqlite/sqlite-database.ts';
import { parseStoreUrl } from './store-url.ts';

/** Opens the database of a store URL. `create` makes a missing SQLite file; otherwise that is `SCHEMA_OUTDATED`. */
export function openDatabase(url: string, options: { limits: StoreLimits; create: boolean }): Database {
  const address = parseStoreUrl(url);
  if (address.engine === 'postgres')
    throw new StoreError('STORE_UNAVAILABLE', 'PostgreSQL is not supported yet');
  if (options.create) createSqliteFile(address.path);
  return new SqliteDatabase(address.path, { busyMs: options.limits.lockMs });
}
