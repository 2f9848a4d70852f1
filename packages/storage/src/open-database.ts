import type { Database } from './database/database.ts';
import type { StoreLimits } from './limits.ts';
import { createSqliteFile } from './sqlite/create-file.ts';
import { parseStoreUrl } from './store-url.ts';

/** Opens the database of a store URL. `create` makes a missing SQLite file; otherwise that is `SCHEMA_OUTDATED`. */
export async function openDatabase(
  url: string,
  options: { limits: StoreLimits; create: boolean },
): Promise<Database> {
  const address = parseStoreUrl(url);
  // Only the driver that is used is loaded.
  switch (address.engine) {
    case 'sqlite': {
      const { SqliteDatabase } = await import('./sqlite/sqlite-database.ts');
      if (options.create) createSqliteFile(address.path);
      return new SqliteDatabase(address.path, {
        busyMs: options.limits.lockMs,
        reserveBytes: options.limits.reserveBytes,
      });
    }
    case 'postgres': {
      const { PostgresDatabase } = await import('./postgres/postgres-database.ts');
      return new PostgresDatabase(address.url, options.limits);
    }
  }
}
