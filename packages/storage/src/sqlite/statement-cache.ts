import type BetterSqlite from 'better-sqlite3';

/** The store asks a few dozen different questions; more would be a mistake that this keeps bounded. */
const MAX_STATEMENTS = 200;

/** A database that keeps its prepared statements, for Kysely, which prepares every time. */
export class StatementCache {
  readonly #file: BetterSqlite.Database;
  readonly #statements = new Map<string, BetterSqlite.Statement<unknown[]>>();

  constructor(file: BetterSqlite.Database) {
    this.#file = file;
  }

  prepare(sql: string): BetterSqlite.Statement<unknown[]> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
      statement = this.#file.prepare<unknown[]>(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  close(): void {
    this.#statements.clear();
    this.#file.close();
  }
}
