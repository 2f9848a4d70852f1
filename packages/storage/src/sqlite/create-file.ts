import { closeSync, openSync } from 'node:fs';
import { StoreError } from '@callpass/domain';

const OWNER_ONLY = 0o600;

/** Makes an empty database file that only its owner can read, unless there is one. Its folder must exist. */
export function createSqliteFile(path: string): void {
  try {
    closeSync(openSync(path, 'a', OWNER_ONLY));
  } catch (cause) {
    throw new StoreError('STORE_UNAVAILABLE', 'the database file cannot be made: does its folder exist?', {
      cause,
    });
  }
}
