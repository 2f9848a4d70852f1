import { CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { ChainStep, Database } from '../database/database.ts';
import type { StoreLimits } from '../limits.ts';
import type { SchemaDialect } from '../schema/migrations.ts';
import type { AnswerRow, Tables } from '../schema/tables.ts';
import { connectionOptions } from './connection.ts';
import { StateListener, STATE_CHANNEL } from './state-listener.ts';
import { appendStatement, claimStatement } from './statements.ts';

/** Serialization failure, deadlock, and the number that two processes took for their chains at once. */
const NOTHING_WRITTEN = new Set(['40001', '40P01', '23505']);

/** A PostgreSQL database: one connection for writing, a few for reads, one that listens. */
export class PostgresDatabase implements Database {
  readonly schema: SchemaDialect = {
    integer: 'bigint',
    bytes: 'bytea',
    tableEnd: sql``,
    counting: (column) => column.generatedAlwaysAsIdentity(),
  };
  readonly rowLocks = { wait: sql`for no key update`, skip: sql`for update skip locked` };
  readonly reads: Kysely<Tables>;
  readonly #url: string;
  readonly #writer: Kysely<Tables>;
  readonly #writing: pg.Pool;
  #listener: StateListener | undefined;

  constructor(url: string, limits: StoreLimits) {
    this.#url = url;
    const reading = quietPool({
      ...connectionOptions(url, { timeoutMs: limits.readMs, lockMs: limits.lockMs }),
      max: limits.connections,
    });
    this.#writing = quietPool({
      ...connectionOptions(url, { timeoutMs: limits.recordMs, lockMs: limits.lockMs }),
      max: 1,
      idleTimeoutMillis: 0,
    });
    // Whatever the database's default: a commit is on disk before it is answered.
    this.#writing.on('connect', (client) => {
      client.query('set synchronous_commit = on').catch(() => undefined);
    });
    this.reads = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: reading }) });
    this.#writer = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: this.#writing }) });
  }

  snapshot<T>(body: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    return this.reads
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(body);
  }

  write<T>(body: (transaction: Kysely<Tables>) => Promise<T>): Promise<T> {
    return this.#writer.transaction().execute(body);
  }

  async append(chain: ChainStep, transaction?: Kysely<Tables>): Promise<boolean> {
    const statement = appendStatement(chain);
    const inserted = transaction
      ? (await transaction.executeQuery(CompiledQuery.raw(statement.text, statement.values))).numAffectedRows
      : (await this.#writing.query({ ...statement })).rowCount;
    return Number(inserted) === chain.entries.length;
  }

  async claim(transaction: Kysely<Tables>, rows: readonly AnswerRow[], nowMs: number) {
    const { text, values } = claimStatement(rows, nowMs);
    const { rows: claimed } = await transaction.executeQuery<Pick<AnswerRow, 'client' | 'request_id'>>(
      CompiledQuery.raw(text, values),
    );
    return claimed;
  }

  async announce(transaction: Kysely<Tables>): Promise<void> {
    await sql`select pg_notify(${STATE_CHANNEL}, '')`.execute(transaction);
  }

  listen(changed: () => void): void {
    this.#listener = new StateListener(this.#url, changed);
  }

  async readClock(): Promise<{ nowMs: number; elsewhere: boolean }> {
    // Neither address where the connection is a socket in the file system; both the same on loopback.
    const { rows } = await sql<{ nowMs: number; elsewhere: boolean }>`
      select (extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs",
        coalesce(inet_server_addr() <> inet_client_addr(), false) as "elsewhere"`.execute(this.reads);
    const [row] = rows;
    if (row === undefined) throw new Error('the database gave no time');
    return row;
  }

  /** PostgreSQL keeps old rows until a vacuum, and its log longer: what is left there is sealed. */
  async afterDestroy(): Promise<void> {
    await sql`vacuum realm_keys`.execute(this.reads);
  }

  mayRetry(error: unknown): boolean {
    return error instanceof pg.DatabaseError && NOTHING_WRITTEN.has(error.code ?? '');
  }

  async close(): Promise<void> {
    await Promise.all([this.reads.destroy(), this.#writer.destroy(), this.#listener?.close()]);
  }
}

/** A pool whose idle connections may end: that is found out, and made good, by the next one who needs a connection. */
function quietPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', () => undefined);
  return pool;
}
