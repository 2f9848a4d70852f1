import { StoreError } from '@callpass/domain';
import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Database } from '../database/database.ts';
import { createSecrets, openSecrets } from '../database/secrets.ts';
import { sealUnsealedState } from '../database/state-seal.ts';
import type { Sealer } from '../seal/sealer.ts';
import { migrationsFor, type DataMigrations } from './migrations.ts';
import type { Tables } from './tables.ts';

const MIGRATION_TABLE = 'schema_migrations';

/** Brings a database to this version's schema, and makes the secrets of a new one. The names of what was applied. */
export async function migrateDatabase(database: Database, sealer: Sealer): Promise<{ applied: string[] }> {
  await assertNotNewer(database);
  const migrator = new Migrator({
    db: database.reads,
    provider: { getMigrations: async () => migrationsFor(database.schema, dataMigrations(sealer)) },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: 'schema_migration_lock',
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error instanceof StoreError) throw error;
  if (error !== undefined) throw new StoreError('STORE_UNAVAILABLE', 'a migration failed', { cause: error });
  (await openSecrets(database.reads, sealer)).ledgerSecret.fill(0);
  return { applied: (results ?? []).map((result) => result.migrationName) };
}

function dataMigrations(sealer: Sealer): DataMigrations {
  return {
    async sealState(migrating) {
      const db = migrating as Kysely<Tables>;
      await createSecrets(db, sealer);
      const { ledgerSecret } = await openSecrets(db, sealer);
      await sealUnsealedState(db, ledgerSecret);
      ledgerSecret.fill(0);
    },
  };
}

function migrationNames({ schema }: Database): string[] {
  return Object.keys(migrationsFor(schema, { sealState: async () => undefined }));
}

/** Throws `SCHEMA_OUTDATED` or `SCHEMA_TOO_NEW` when the schema is not exactly this version's. */
export async function assertCurrentSchema(database: Database): Promise<void> {
  const applied = await assertNotNewer(database);
  if (migrationNames(database).some((name) => !applied.has(name))) {
    throw new StoreError(
      'SCHEMA_OUTDATED',
      'the schema of the store is older than this version needs: run migrate',
    );
  }
}

/** Tests whether a database holds a store, of any version. */
export async function isStore(database: Database): Promise<boolean> {
  return (await appliedMigrations(database)).size > 0;
}

async function assertNotNewer(database: Database): Promise<Set<string>> {
  const applied = await appliedMigrations(database);
  const known = new Set(migrationNames(database));
  if ([...applied].some((name) => !known.has(name))) {
    throw new StoreError('SCHEMA_TOO_NEW', 'the store was migrated by a newer version of the service');
  }
  return applied;
}

async function appliedMigrations(database: Database): Promise<Set<string>> {
  const tables = await database.reads.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === MIGRATION_TABLE)) return new Set();
  const db = database.reads as unknown as Kysely<Record<typeof MIGRATION_TABLE, { name: string }>>;
  const rows = await db.selectFrom(MIGRATION_TABLE).select('name').execute();
  return new Set(rows.map((row) => row.name));
}
