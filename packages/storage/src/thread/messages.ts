import { StoreError, type StoreErrorCode } from '@callpass/domain';
import { describeDatabaseFault } from '@callpass/program';
import type { StoreEngine } from '../engine.ts';
import type { StoreLimits } from '../limits.ts';
import type { Migrated } from '../schema/migrate-store.ts';

/** The store that the thread opens. */
export interface ThreadStart {
  readonly url: string;
  /** A copy for the thread, which wipes it. */
  readonly sealKey: Uint8Array;
  readonly writerId: string;
  readonly limits: StoreLimits;
  /** Brings the store to this version's schema first, and makes it where there is none. */
  readonly migrate: boolean;
}

/** A store that the thread has opened. */
export interface OpenedStore {
  readonly ledgerSecret: Uint8Array;
  /** Set where the thread hears of changes that other instances make. */
  readonly announces: boolean;
}

/** Calls of the thread: `open` before all others. */
export type ThreadCalls = { open(start: ThreadStart): Promise<OpenedStore> } & Pick<
  StoreEngine,
  | 'stateVersion'
  | 'loadState'
  | 'checkState'
  | 'readStateRecord'
  | 'getRevision'
  | 'listRevisions'
  | 'findIssued'
  | 'hasRemoved'
  | 'findAnswer'
  | 'listEntries'
  | 'countIssued'
  | 'replay'
  | 'listChains'
  | 'readChain'
  | 'removeStep'
  | 'giveBack'
  | 'readTimes'
  | 'probe'
  | 'commit'
  | 'close'
>;

/** The name of a call. */
export type ThreadMethod = keyof ThreadCalls;

/** To the thread. */
export interface ThreadRequest {
  readonly id: number;
  readonly method: ThreadMethod;
  readonly argument: unknown;
}

/** From the thread. */
export type ThreadMessage =
  | { readonly kind: 'stateChanged' }
  | { readonly kind: 'migrated'; readonly migrated: Migrated }
  | { readonly kind: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError };

/** An error on its way between threads, where its class would be lost. */
export interface WireError {
  readonly code: StoreErrorCode;
  readonly message: string;
  readonly cause: string | undefined;
}

type Fault = Pick<WireError, 'code' | 'message'>;

const NO_ANSWER: Fault = { code: 'STORE_UNAVAILABLE', message: 'the store did not answer' };
const FAULTS: Partial<Record<ThreadMethod, Fault>> = {
  open: { code: 'STORE_UNAVAILABLE', message: 'the store cannot be opened' },
  commit: { code: 'LEDGER_UNAVAILABLE', message: 'the entry could not be written' },
};

/** An error of a call as a message. */
export function toWireError(error: unknown, method: ThreadMethod): WireError {
  if (error instanceof StoreError) {
    return {
      code: error.code,
      message: error.message,
      cause: error.cause === undefined ? undefined : describeDatabaseFault(error.cause),
    };
  }
  return { ...(FAULTS[method] ?? NO_ANSWER), cause: describeDatabaseFault(error) };
}

/** The reverse of {@link toWireError}. */
export function fromWireError({ code, message, cause }: WireError): StoreError {
  return new StoreError(code, message, cause === undefined ? undefined : { cause: new Error(cause) });
}
