import { hostname } from 'node:os';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { StoreError } from '@callpass/domain';
import BetterSqlite from 'better-sqlite3';
import { createSqliteFile } from './create-file.ts';

/** Wait for a process that is about to end. */
const WAIT_MS = 500;

/** Lock on a database file, held until it is released or the process ends, however it ends. */
export interface InstanceLock {
  release(): void;
}

/**
 * Takes the lock of the servers on a database file: alone, or together with others that share it. It is a lock of the operating
 * system on a file beside the database, so it ends with the process; those who only read or administer need none.
 *
 * Throws `STORE_UNAVAILABLE` that names the holder when a server holds the lock that does not go with this one.
 */
export function lockInstance(path: string, mode: 'alone' | 'shared'): InstanceLock {
  const lockFile = `${path}-lock`;
  const holderFile = `${lockFile}.json`;
  createSqliteFile(lockFile);
  const file = new BetterSqlite(lockFile, { timeout: WAIT_MS });
  try {
    if (mode === 'alone') file.exec('begin exclusive');
    else file.exec('begin; select count(*) from sqlite_schema');
  } catch {
    file.close();
    throw new StoreError('STORE_UNAVAILABLE', refusal(mode, holderOf(holderFile)));
  }
  if (mode === 'alone') {
    const holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
    writeFileSync(holderFile, JSON.stringify(holder), { mode: 0o600 });
  }
  return {
    release() {
      if (mode === 'alone') rmSync(holderFile, { force: true });
      file.close();
    },
  };
}

function refusal(mode: 'alone' | 'shared', holder: string | undefined): string {
  const who = holder ?? 'another server';
  const why =
    mode === 'alone' && holder === undefined
      ? 'which shares its limits, and this one counts its own in memory'
      : 'which counts its limits in memory, so that two would grant twice as much';
  return `${who} serves this database file already, ${why}: stop it, or give both limits.url of one Redis`;
}

function holderOf(file: string): string | undefined {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    return `process ${String(pid)} on ${String(host)} (since ${String(since)})`;
  } catch {
    return undefined;
  }
}
