export {
  backUpStore,
  lockStore,
  migrateStore,
  openStore,
  resealStore,
  type OpenStoreOptions,
} from './open-store.ts';
export type { Migrated } from './schema/migrate-store.ts';
export { readSealKey, SealKeyError } from './seal/seal-key.ts';
export { DEFAULT_LIMITS, type StoreLimits } from './limits.ts';
export { freeBytes } from './sqlite/disk-reserve.ts';
export { isReadableStoreUrl, isStoreUrl, STORE_URL_FORMS, storeFile, storePlace } from './store-url.ts';
export { type CommitEvent } from './commit/group-committer.ts';
