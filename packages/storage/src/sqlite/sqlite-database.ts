import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { StoreError } from '@callpass/domain';
import BetterSqlite from 'better-sqlite3';
import { Kysely, sql } from 'kysely';
import type { ChainStep, Database, DatabaseDisk } from '../database/database.ts';
import { columnValue, ENTRY_COLUMNS } from '../database/entry-rows.ts';
import type { SchemaDialect } from '../schema/migrations.ts';
import type { AnswerRow, Tables } from '../schema/tables.ts';
import { backUpSqlite } from './back-up.ts';
import { SqliteDisk } from './sqlite-disk.ts';
import { StatementCache } from './statement-cache.ts';
import { LockingSqliteDialect } from './sqlite-dialect.ts';

const CHECKPOINT_PAGES = 4000;
const WAL_LIMIT_BYTES = 64 * 1024 * 1024;

const INSERT_ENTRY = `insert into ledger (writer, ${ENTRY_COLUMNS.map(({ column }) => column).join(', ')})
  values (?, ${ENTRY_COLUMNS.map(() => '?').join(', ')})`;

const MOVE_HEAD = `update ledger_writers set head_sequence = ?, head_hash = ?, head_mac = ?
  where number = ? and head_sequence = ? and head_hash = ?`;

const CLAIM = `insert into answers (client, request_id, body_hash, sealed_answer, expire_time_ms)
  values (?, ?, ?, ?, ?)
  on conflict (client, request_id) do update set
    body_hash = excluded.body_hash, sealed_answer = excluded.sealed_answer, expire_time_ms = excluded.expire_time_ms
  where answers.expire_time_ms <= ?`;

/** One SQLite file on one connection. Its calls block: it lives in a thread of its own. */
export class SqliteDatabase implements Database {
  readonly schema: SchemaDialect = {
    integer: 'integer',
    bytes: 'blob',
    tableEnd: sql`strict`,
    counting: (column) => column,
  };
  readonly rowLocks = { wait: sql``, skip: sql`` };
  readonly reads: Kysely<Tables>;
  readonly disk: DatabaseDisk;
  readonly #path: string;
  readonly #statements: StatementCache;

  /** Throws `SCHEMA_OUTDATED` when there is no such file. @param busyMs how long to wait for another process's lock; reserveBytes see `StoreLimits` */
  constructor(path: string, options: { busyMs: number; reserveBytes: number }) {
    this.#path = path;
    const file = openFile(path, options.busyMs);
    this.#statements = new StatementCache(file);
    this.disk = new SqliteDisk(path, file, options.reserveBytes);
    this.reads = new Kysely<Tables>({ dialect: new LockingSqliteDialect({ database: this.#statements }) });
  }

  snapshot<T>(body: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    return this.reads.transaction().setAccessMode('read only').execute(body);
  }

  write<T>(body: (transaction: Kysely<Tables>) => Promise<T>): Promise<T> {
    return this.reads.transaction().execute(body);
  }

  append(chain: ChainStep, transaction?: Kysely<Tables>): Promise<boolean> {
    return transaction ? this.#append(chain) : this.write(() => this.#append(chain));
  }

  async claim(_transaction: Kysely<Tables>, rows: readonly AnswerRow[], nowMs: number): Promise<AnswerRow[]> {
    const claim = this.#statements.prepare(CLAIM);
    return rows.filter(
      (row) =>
        claim.run(row.client, row.request_id, row.body_hash, row.sealed_answer, row.expire_time_ms, nowMs)
          .changes === 1,
    );
  }

  async announce(): Promise<void> {
    // Other processes ask for the state version; they have nothing to listen to.
  }

  /** The old row may still be in the write-ahead log. A reader in another process can hold it there a little longer. */
  async afterDestroy(): Promise<void> {
    await sql`pragma wal_checkpoint(truncate)`.execute(this.reads);
  }

  mayRetry(): boolean {
    return false;
  }

  backUp(to: string): void {
    backUpSqlite(this.#path, to);
  }

  async close(): Promise<void> {
    await this.reads.destroy();
  }

  /** The transaction that it needs is open. */
  async #append({ from, to, entries }: ChainStep): Promise<boolean> {
    const moved = this.#statements
      .prepare(MOVE_HEAD)
      .run(to.head_sequence, to.head_hash, to.head_mac, from.number, from.head_sequence, from.head_hash);
    if (moved.changes !== 1) return false;
    const insert = this.#statements.prepare(INSERT_ENTRY);
    for (const entry of entries)
      insert.run(from.number, ...ENTRY_COLUMNS.map((column) => columnValue(entry, column)));
    return true;
  }
}

function openFile(path: string, busyMs: number): BetterSqlite.Database {
  let file: BetterSqlite.Database;
  try {
    file = new BetterSqlite(path, { fileMustExist: true, timeout: busyMs });
  } catch (cause) {
    if (existsSync(path))
      throw new StoreError('STORE_UNAVAILABLE', 'the database file cannot be used', { cause });
    throw new StoreError('SCHEMA_OUTDATED', `there is no store at ${resolve(path)}`, { cause });
  }
  try {
    // Can be chosen for a new file only: what is removed is given back to the disk.
    if (file.pragma('page_count', { simple: true }) === 0) file.pragma('auto_vacuum = INCREMENTAL');
    file.pragma('journal_mode = WAL');
    // A grant must survive a loss of power, on macOS too.
    file.pragma('synchronous = FULL');
    file.pragma('fullfsync = ON');
    file.pragma('checkpoint_fullfsync = ON');
    file.pragma('foreign_keys = ON');
    file.pragma('secure_delete = ON');
    file.pragma('trusted_schema = OFF');
    file.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`);
    // Commits wait while a checkpoint copies pages and syncs. Four times the default: fewer waits, and pages that many
    // commits touch are copied once.
    file.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    return file;
  } catch (cause) {
    file.close();
    throw new StoreError('STORE_UNAVAILABLE', 'the database file cannot be used', { cause });
  }
}
