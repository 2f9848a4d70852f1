import {
  sql,
  type ColumnDefinitionBuilder,
  type CreateTableBuilder,
  type Kysely,
  type RawBuilder,
} from 'kysely';
import type { Migration } from 'kysely/migration';

/** Spelling of the schema on a database. */
export interface SchemaDialect {
  readonly integer: 'integer' | 'bigint';
  readonly bytes: 'blob' | 'bytea';
  /** Ends the statement that creates a table. */
  readonly tableEnd: RawBuilder<unknown>;
  /** Makes a primary key that counts up by itself. */
  readonly counting: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
}

/** Steps of migrations that need the keys of the store, in the transaction of the migration. */
export interface DataMigrations {
  /** Puts what decides under its MACs, as it is found. */
  readonly sealState: (db: Kysely<unknown>) => Promise<void>;
}

/**
 * The one list of migrations, for every database, forward only. A name that was released never changes its meaning;
 * names sort in the order they are applied in.
 */
export function migrationsFor(dialect: SchemaDialect, fill: DataMigrations): Record<string, Migration> {
  const create = (db: Kysely<unknown>, table: string) =>
    db.schema.createTable(table).modifyEnd(dialect.tableEnd);
  return {
    '0001-state-and-ledger': {
      async up(db) {
        await createState(db, dialect, create);
        await createLedger(db, dialect, create);
      },
    },
    '0002-anchors': {
      async up(db) {
        await addAnchors(db, dialect);
      },
    },
    '0003-entry-version': {
      async up(db) {
        await addEntryVersion(db, dialect);
      },
    },
    '0004-sealed-state': {
      async up(db) {
        await addSealedState(db, dialect);
        await fill.sealState(db);
      },
    },
  };
}

type Create = (db: Kysely<unknown>, table: string) => CreateTableBuilder<string>;

async function createState(
  db: Kysely<unknown>,
  { integer, bytes }: SchemaDialect,
  create: Create,
): Promise<void> {
  await create(db, 'state')
    .addColumn('id', integer, (column) => column.primaryKey().check(sql`id = 1`))
    .addColumn('version', integer, (column) => column.notNull())
    .execute();
  await sql`insert into state (id, version) values (1, 0)`.execute(db);

  await create(db, 'secrets')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('sealed', bytes, (column) => column.notNull())
    .execute();

  await create(db, 'revisions')
    .addColumn('revision', integer, (column) => column.primaryKey())
    .addColumn('document', bytes, (column) => column.notNull())
    .addColumn('apply_time_ms', integer, (column) => column.notNull())
    .addColumn('applied_by', 'text', (column) => column.notNull())
    .execute();

  await create(db, 'realm_keys')
    .addColumn('realm', 'text', (column) => column.notNull())
    .addColumn('version', integer, (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('fingerprint', 'text', (column) => column.notNull())
    .addColumn('create_time_ms', integer, (column) => column.notNull())
    .addColumn('activate_time_ms', integer)
    .addColumn('retire_time_ms', integer)
    .addColumn('destroy_time_ms', integer)
    .addColumn('validate_until_ms', integer)
    .addColumn('sealed_text', bytes)
    .addPrimaryKeyConstraint('realm_keys_key', ['realm', 'version'])
    .addCheckConstraint('realm_keys_destroyed', sql`(state = 'DESTROYED') = (sealed_text is null)`)
    .execute();

  await create(db, 'freezes')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('freeze_time_ms', integer, (column) => column.notNull())
    .addColumn('until_ms', integer)
    .addColumn('frozen_by', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('freezes_key', ['kind', 'value'])
    .execute();

  await create(db, 'answers')
    .addColumn('client', 'text', (column) => column.notNull())
    .addColumn('request_id', 'text', (column) => column.notNull())
    .addColumn('body_hash', bytes, (column) => column.notNull())
    .addColumn('sealed_answer', bytes, (column) => column.notNull())
    .addColumn('expire_time_ms', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('answers_key', ['client', 'request_id'])
    .execute();
  await db.schema.createIndex('answers_by_expiry').on('answers').column('expire_time_ms').execute();
}

/** Adds the anchor of each chain that retention has shortened. All empty: the chain begins at its first entry. */
async function addAnchors(db: Kysely<unknown>, { integer, bytes }: SchemaDialect): Promise<void> {
  const alter = db.schema.alterTable('ledger_writers');
  await alter.addColumn('anchor_sequence', integer).execute();
  await alter.addColumn('anchor_hash', bytes).execute();
  await alter.addColumn('anchor_mac', bytes).execute();
}

/** Adds the version of an entry's fields. All that were written until now are of version 1. */
async function addEntryVersion(db: Kysely<unknown>, { integer }: SchemaDialect): Promise<void> {
  await db.schema
    .alterTable('ledger')
    .addColumn('version', integer, (column) => column.notNull().defaultTo(1))
    .execute();
}

/** Adds the MACs of what decides, the record of it, and the fields of entries that say what a change has made. */
async function addSealedState(db: Kysely<unknown>, { integer, bytes }: SchemaDialect): Promise<void> {
  for (const table of ['revisions', 'realm_keys', 'freezes'])
    await db.schema.alterTable(table).addColumn('mac', bytes).execute();
  const state = db.schema.alterTable('state');
  for (const counter of ['change_count', 'chain_count', 'forgotten_changes'])
    await state.addColumn(counter, integer, (column) => column.notNull().defaultTo(0)).execute();
  for (const column of ['contents', 'mac']) await state.addColumn(column, bytes).execute();
  const ledger = db.schema.alterTable('ledger');
  await ledger.addColumn('change_number', integer, (column) => column.notNull().defaultTo(0)).execute();
  await ledger.addColumn('change_hash', 'text', (column) => column.notNull().defaultTo('')).execute();
}

async function createLedger(
  db: Kysely<unknown>,
  { integer, bytes, counting }: SchemaDialect,
  create: Create,
): Promise<void> {
  await create(db, 'ledger_writers')
    .addColumn('number', integer, (column) => column.primaryKey())
    .addColumn('writer_id', 'text', (column) => column.notNull().unique())
    .addColumn('head_sequence', integer, (column) => column.notNull())
    .addColumn('head_hash', bytes, (column) => column.notNull())
    .addColumn('head_mac', bytes, (column) => column.notNull())
    .execute();

  await create(db, 'ledger')
    .addColumn('position', integer, (column) => counting(column.primaryKey()))
    .addColumn('writer', integer, (column) => column.notNull().references('ledger_writers.number'))
    .addColumn('sequence', integer, (column) => column.notNull())
    .addColumn('kind', integer, (column) => column.notNull())
    .addColumn('time_ms', integer, (column) => column.notNull())
    .addColumn('client', 'text', (column) => column.notNull())
    .addColumn('destination', 'text', (column) => column.notNull())
    .addColumn('realm', 'text', (column) => column.notNull())
    .addColumn('key_version', integer, (column) => column.notNull())
    .addColumn('callee', 'text', (column) => column.notNull())
    .addColumn('caller', 'text', (column) => column.notNull())
    .addColumn('subject_hash', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('rule', 'text', (column) => column.notNull())
    .addColumn('configuration_revision', integer, (column) => column.notNull())
    .addColumn('trace_id', 'text', (column) => column.notNull())
    .addColumn('issuance_id', 'text', (column) => column.notNull())
    .addColumn('expire_time_ms', integer, (column) => column.notNull())
    .addColumn('fingerprints', bytes)
    .addColumn('previous_hash', bytes, (column) => column.notNull())
    .addColumn('hash', bytes, (column) => column.notNull())
    .execute();
  // Both grow at their end: times rise, and every writer counts up.
  await db.schema.createIndex('ledger_by_time').on('ledger').column('time_ms').execute();
  await db.schema
    .createIndex('ledger_by_sequence')
    .on('ledger')
    .columns(['writer', 'sequence'])
    .unique()
    .execute();
}
