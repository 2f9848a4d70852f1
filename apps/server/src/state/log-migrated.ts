import type { Logger } from '@callpass/program/log';
import { storePlace, type Migrated } from '@callpass/storage';

/** Logs what a start has done to the store: that it made one, and the migrations. Nothing where it was up to date. */
export function logMigrated(log: Pick<Logger, 'info' | 'warn'>, url: string): (migrated: Migrated) => void {
  return ({ applied, created }) => {
    if (created) log.warn({ store: storePlace(url) }, 'there was no store: a new, empty one was made');
    if (applied.length > 0) log.info({ applied }, 'store migrated');
  };
}
