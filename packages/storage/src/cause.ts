import { StoreError } from '@callpass/domain';
import { errorText } from '@callpass/program';
import { storePlace } from './store-url.ts';

/** Describes a failure of a database in its own words, with its code. Its details may quote values and are left out. */
export function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const own = 'code' in cause && typeof cause.code === 'string' ? `${cause.code}: ` : '';
  return `${own}${errorText(cause)}`;
}

/**
 * Gives the error of a store that cannot be opened or worked on the words for an operator: where the store is, and why. Errors that
 * say something else than `STORE_UNAVAILABLE` stay as they are.
 */
export function withPlace(url: string, error: unknown): StoreError {
  if (!(error instanceof StoreError))
    return unavailable(`${storePlace(url)} cannot be used: ${describeCause(error)}`, error);
  if (error.code !== 'STORE_UNAVAILABLE' || error.cause === undefined) return error;
  return unavailable(`${storePlace(url)}: ${error.message} (${describeCause(error.cause)})`, error.cause);
}

const unavailable = (text: string, cause: unknown) => new StoreError('STORE_UNAVAILABLE', text, { cause });
