import { sql, type Kysely } from 'kysely';
import { DEFAULT_LIMITS } from '../limits.ts';
import { openDatabase } from '../open-database.ts';
import type { Tables } from '../schema/tables.ts';

/** Does something to a database behind the store's back. */
export async function tamper<T>(url: string, body: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
  const database = await openDatabase(url, { limits: DEFAULT_LIMITS, create: false });
  try {
    return await body(database.reads);
  } finally {
    await database.close();
  }
}

/** Runs one statement behind the store's back. */
export function tamperSql(url: string, statement: string): Promise<unknown> {
  return tamper(url, (db) => sql.raw(statement).execute(db));
}
