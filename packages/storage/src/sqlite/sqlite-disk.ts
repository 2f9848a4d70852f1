import BetterSqlite from 'better-sqlite3';
import type { DatabaseDisk } from '../database/database.ts';
import { DiskReserve, freeBytesBeside } from './disk-reserve.ts';

/** Pages of one step, some 4 MB: commits wait for it. */
const PAGES_PER_STEP = 1000;

/** Interval of trying to make the reserve anew. */
const REFILL_EVERY_MS = 1000;

/** Errors of a write that the disk did not take. A quota and a limit on file sizes come as errors of writing. */
const FULL = new Set(['SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_IOERR_SHMSIZE', 'SQLITE_IOERR_TRUNCATE']);

/** The disk of an SQLite file. */
export class SqliteDisk implements DatabaseDisk {
  readonly #path: string;
  readonly #file: BetterSqlite.Database;
  readonly #reserve: DiskReserve;
  #triedAtMs = -Infinity;

  constructor(path: string, file: BetterSqlite.Database, reserveBytes: number) {
    this.#path = path;
    this.#file = file;
    this.#reserve = new DiskReserve(path, reserveBytes);
    this.#reserve.refill();
  }

  fullness(error: unknown): string | undefined {
    if (!(error instanceof BetterSqlite.SqliteError) || !FULL.has(error.code)) return undefined;
    return `${error.code} (ENOSPC): no room for ${this.#path}, ${freeBytesBeside(this.#path)} bytes are free on its disk`;
  }

  spendReserve(): boolean {
    const spent = this.#reserve.spend();
    // What the write-ahead log holds goes into the file, so that the log can begin anew.
    if (spent) this.#file.pragma('wal_checkpoint(truncate)');
    return spent;
  }

  isReserveSpent(): boolean {
    if (performance.now() - this.#triedAtMs >= REFILL_EVERY_MS) {
      this.#triedAtMs = performance.now();
      this.#reserve.refill();
    }
    return this.#reserve.spent;
  }

  giveBack(): boolean {
    this.#file.pragma(`incremental_vacuum(${PAGES_PER_STEP})`);
    const free = this.#file.pragma('freelist_count', { simple: true }) as number;
    const canMore = free > 0 && this.#file.pragma('auto_vacuum', { simple: true }) === INCREMENTAL;
    // Only a checkpoint makes the file itself shorter.
    if (!canMore) this.#file.pragma('wal_checkpoint(truncate)');
    return canMore;
  }
}

const INCREMENTAL = 2;
