import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreError } from '@callpass/domain';
import BetterSqlite from 'better-sqlite3';

const OWNER_ONLY = 0o600;

/**
 * Copies an SQLite database that may be in use into a new file, as it is at one instant: a read transaction, beside which
 * commits go on. Only a whole copy, synced to disk, ever has the name `to`; an existing file is never touched.
 */
export function backUpSqlite(path: string, to: string): void {
  const partial = `${to}.partial`;
  createPrivately(partial);
  try {
    copy(path, partial);
    sync(partial);
    // Unlike a rename, a link never replaces a file that somebody made meanwhile.
    linkSync(partial, to);
  } catch (cause) {
    throw cause instanceof StoreError ? cause : failed('the backup could not be written', cause);
  } finally {
    rmSync(partial);
  }
  sync(dirname(to));
}

function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'wx', OWNER_ONLY));
  } catch (cause) {
    throw failed(`${file} could not be made`, cause);
  }
}

function copy(path: string, to: string): void {
  let database: BetterSqlite.Database;
  try {
    database = new BetterSqlite(path, { fileMustExist: true, readonly: true });
  } catch (cause) {
    if (existsSync(path)) throw failed('the database file cannot be used', cause);
    throw new StoreError('SCHEMA_OUTDATED', `there is no store at ${path}`, { cause });
  }
  try {
    database.prepare('vacuum into ?').run(to);
  } finally {
    database.close();
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const failed = (text: string, cause: unknown) => new StoreError('STORE_UNAVAILABLE', text, { cause });
