import type { LedgerEntry } from '@callpass/ledger';
import type { Kysely, RawBuilder } from 'kysely';
import type { SchemaDialect } from '../schema/migrations.ts';
import type { AnswerRow, Tables, HeadColumns } from '../schema/tables.ts';

/** A database engine: all in which engines differ. Everything else is written once, in Kysely. */
export interface Database {
  /** Spelling of the schema. */
  readonly schema: SchemaDialect;

  /** Locks of rows within a write transaction. */
  readonly rowLocks: RowLocks;

  /** For single queries outside any transaction. */
  readonly reads: Kysely<Tables>;

  /** Several reads of one instant. */
  snapshot<T>(body: (db: Kysely<Tables>) => Promise<T>): Promise<T>;

  /** A write transaction on the connection that is kept for writing. */
  write<T>(body: (transaction: Kysely<Tables>) => Promise<T>): Promise<T>;

  /**
   * Adds entries at the end of a chain and moves its recorded head from `from` to `to`, both or neither; in the transaction
   * when one is given, else in one of its own. False when the recorded head is not `from`: another process moved it.
   */
  append(chain: ChainStep, transaction?: Kysely<Tables>): Promise<boolean>;

  /**
   * Inserts answers, or puts them in the place of ones that expired by `nowMs`. Gives back the ids of those that are in;
   * an answer that has not expired stays. No two rows have the same id.
   */
  claim(
    transaction: Kysely<Tables>,
    rows: readonly AnswerRow[],
    nowMs: number,
  ): Promise<readonly Pick<AnswerRow, 'client' | 'request_id'>[]>;

  /** Tells all instances, once the transaction is through, that the state changed. Nothing where nobody can listen. */
  announce(transaction: Kysely<Tables>): Promise<void>;

  /** Calls `changed` for each announcement until the database is closed. Left out where nobody can listen. */
  listen?(changed: () => void): void;

  /** The clock of the database's machine: see `StoreTimes`. Left out where that is always this machine. */
  readClock?(): Promise<{ nowMs: number; elsewhere: boolean }>;

  /** Called after a realm key was destroyed, to get rid of copies that the database still keeps of the old row. */
  afterDestroy(): Promise<void>;

  /** Tells whether an error means that nothing was written and the same may be tried again at once. */
  mayRetry(error: unknown): boolean;

  /**
   * Copies the database as it is at one instant to a new file. Left out where the database has tools of its own for it. Throws
   * a StoreError `STORE_UNAVAILABLE` when the file exists or cannot be written.
   */
  backUp?(to: string): void;

  /** Room on the disk of a database in a file. Left out where a database server looks after its own. */
  readonly disk?: DatabaseDisk;

  close(): Promise<void>;
}

/** Disk of a database in a file: what is done when it is full, and how space is given back to it. */
export interface DatabaseDisk {
  /** The cause with path and free bytes, for an error that means that the disk is full; otherwise `undefined`. */
  fullness(error: unknown): string | undefined;
  /** Gives up what was kept for an operator's changes. False where nothing is left. */
  spendReserve(): boolean;
  /** Makes the reserve anew if there is room. True while it is spent, so that only what it is for may be written. */
  isReserveSpent(): boolean;
  /** Gives some of the pages that are free back to the disk. True while there are more. */
  giveBack(): boolean;
}

/** Clauses that end a select and lock its rows; empty where a write transaction has the only lock. */
export interface RowLocks {
  /** Waits for rows that another transaction has locked. */
  readonly wait: RawBuilder<unknown>;
  /** Leaves out rows that another transaction has locked. */
  readonly skip: RawBuilder<unknown>;
}

/** Entries for the end of a chain, which they move from one entry to another. */
export interface ChainStep {
  readonly from: HeadColumns;
  readonly to: HeadColumns;
  readonly entries: readonly LedgerEntry[];
}
