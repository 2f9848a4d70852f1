import { StoreError } from '@callpass/domain';
import { describeDatabaseFault } from '@callpass/program';
import { storePlace } from './store-url.ts';

/**
 * Gives the error of a store that cannot be opened or worked on the words for an operator: where the store is, and why. Errors that
 * say something else than `STORE_UNAVAILABLE` stay as they are.
 */
export function withPlace(url: string, error: unknown): StoreError {
  if (!(error instanceof StoreError))
    return unavailable(`${storePlace(url)} cannot be used: ${describeDatabaseFault(error)}`, error);
  if (error.code !== 'STORE_UNAVAILABLE' || error.cause === undefined) return error;
  return unavailable(
    `${storePlace(url)}: ${error.message} (${describeDatabaseFault(error.cause)})`,
    error.cause,
  );
}

const unavailable = (text: string, cause: unknown) => new StoreError('STORE_UNAVAILABLE', text, { cause });
