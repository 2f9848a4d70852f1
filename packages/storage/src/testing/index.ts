import BetterSqlite from 'better-sqlite3';

/** Runs statements on an SQLite file behind the store's back. With the driver of the store: two in one process break each other's locks. */
export function execOnFile(path: string, statements: string): void {
  const database = new BetterSqlite(path);
  try {
    database.exec(statements);
  } finally {
    database.close();
  }
}
