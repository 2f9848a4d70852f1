// What works on a database is loaded where it is used: of it a server's main thread has only what the lock of a file needs.
import { randomUUID } from 'node:crypto';
import { StoreError, type Store } from '@callpass/domain';
import { withPlace } from './cause.ts';
import type { CommitEvent } from './commit/group-committer.ts';
import type { Database } from './database/database.ts';
import { DEFAULT_LIMITS, PATIENT_LIMITS, type StoreLimits } from './limits.ts';
import { openDatabase } from './open-database.ts';
import type { Migrated } from './schema/migrate-store.ts';
import { Sealer } from './seal/sealer.ts';
import { parseStoreUrl, storePlace, storeFile } from './store-url.ts';
import { ThreadLink } from './thread/thread-link.ts';
import { ThreadStore } from './thread/thread-store.ts';

/** Options of {@link openStore}. */
export interface OpenStoreOptions {
  /** `sqlite:PATH` or `postgres://…`. */
  readonly url: string;
  /** The key-encryption key, 32 bytes. The store keeps a copy; the caller may wipe this one. */
  readonly sealKey: Uint8Array;
  /**
   * Names the chain that this instance writes. Left out, each start begins a chain of its own, which no other process
   * can share. A name that is given goes on where its chain ends.
   */
  readonly writerId?: string | undefined;
  /** See {@link DEFAULT_LIMITS}. */
  readonly limits?: Partial<StoreLimits> | undefined;
  /** Brings the store to this version's schema first, as {@link migrateStore}. Default: it stays as it is. */
  readonly migrate?: boolean | undefined;
  /** Hears what `migrate` has done, also where the store cannot be opened after it. */
  readonly onMigrated?: ((migrated: Migrated) => void) | undefined;
  /** For logs and metrics: called after each commit and for each refusal, on the caller's thread. */
  readonly onEvent?: ((event: CommitEvent) => void) | undefined;
}

/**
 * Opens a store that is there, or that `migrate` makes. Rejects with a StoreError: `SCHEMA_OUTDATED` (also when there is no database
 * yet), `SCHEMA_TOO_NEW`, `SEAL_KEY_WRONG`, or `STORE_UNAVAILABLE`; with `TypeError` for a URL of another kind.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  parseStoreUrl(options.url);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { link, ledgerSecret, announces } = await ThreadLink.open(
    {
      url: options.url,
      sealKey: Uint8Array.from(options.sealKey),
      writerId: options.writerId ?? randomUUID(),
      limits,
    },
    { migrate: options.migrate, onMigrated: options.onMigrated },
  ).catch((error: unknown) => {
    throw withPlace(options.url, error);
  });
  const onEvent = options.onEvent ?? (() => undefined);
  return new ThreadStore({ link, ledgerSecret, limits, announces, onEvent });
}

/**
 * Locks a store for a server, until the lock is released or the process ends: alone for one whose limits are in its memory, shared
 * for others. A database server has many users, so a store on one is not locked. Rejects with a StoreError
 * `STORE_UNAVAILABLE` that names the process in the way.
 */
export async function lockStore(url: string, mode: 'alone' | 'shared'): Promise<{ release(): void }> {
  const path = storeFile(url);
  if (path === undefined) return { release: () => undefined };
  const { lockInstance } = await import('./sqlite/instance-lock.ts');
  try {
    return lockInstance(path, mode);
  } catch (error) {
    throw withPlace(url, error);
  }
}

/**
 * Brings a store to this version's schema. With `create`, the default, it makes a store where there is none: an SQLite file that
 * only its owner can read, in a folder that exists, or the tables of a PostgreSQL database. Forward only; safe to run twice and
 * from two processes. Resolves with the migrations that were applied, and whether the store is new.
 * Rejects with a StoreError: `SCHEMA_OUTDATED` without `create` where there is no store, `SCHEMA_TOO_NEW`, `SEAL_KEY_WRONG`,
 * `STORE_UNAVAILABLE`.
 */
export async function migrateStore(options: {
  url: string;
  sealKey: Uint8Array;
  create?: boolean;
}): Promise<Migrated> {
  const { url, sealKey, create = true } = options;
  const { migrateStoreAt } = await import('./schema/migrate-store.ts');
  return migrateStoreAt(url, new Sealer(sealKey), { create }).catch((error: unknown) => {
    throw withPlace(url, error);
  });
}

/**
 * Seals everything in the store anew under another key-encryption key, all or nothing. Instances that run with the
 * former key can read and seal nothing more and must be restarted with the new one. Resolves with the number of values.
 * Rejects with a StoreError: `SEAL_KEY_WRONG` when `oldKey` is not the store's, `STATE_ALTERED` when the state does not hold.
 */
export async function resealStore(options: {
  url: string;
  oldKey: Uint8Array;
  newKey: Uint8Array;
}): Promise<{ resealed: number }> {
  const { resealEverything } = await import('./database/reseal.ts');
  const { assertCurrentSchema } = await import('./schema/migrate.ts');
  const from = new Sealer(options.oldKey);
  const to = new Sealer(options.newKey);
  return withDatabase(options.url, { create: false }, async (database) => {
    await assertCurrentSchema(database);
    const { rowLocks } = database;
    return {
      resealed: await database.write((transaction) => resealEverything(transaction, { from, to, rowLocks })),
    };
  });
}

/**
 * Copies an SQLite store that may be in use into a new file that only its owner can read, as it is at one instant. Needs no key;
 * the copy opens with the store's. Rejects with a StoreError: `STORE_UNAVAILABLE` when the file exists or cannot be written,
 * `SCHEMA_OUTDATED` where there is no store; with `TypeError` for a store on PostgreSQL, which has tools of its own for this.
 */
export async function backUpStore(options: { url: string; to: string }): Promise<void> {
  const { isStore } = await import('./schema/migrate.ts');
  const done = await withDatabase(options.url, { create: false }, async (database) => {
    if (database.backUp === undefined) return false;
    if (!(await isStore(database)))
      throw new StoreError('SCHEMA_OUTDATED', `${storePlace(options.url)} holds no store`);
    database.backUp(options.to);
    return true;
  });
  if (!done) throw new TypeError('only a store on SQLite is backed up this way');
}

async function withDatabase<T>(
  url: string,
  options: { create: boolean },
  body: (database: Database) => Promise<T>,
): Promise<T> {
  let database: Database | undefined;
  try {
    database = await openDatabase(url, { limits: PATIENT_LIMITS, ...options });
    return await body(database);
  } catch (error) {
    throw withPlace(url, error);
  } finally {
    await database?.close();
  }
}
