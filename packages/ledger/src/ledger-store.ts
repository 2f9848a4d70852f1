import type { ChainHead } from './chain.ts';
import type { IssuedStep, IssuedStepQuery } from './issued-summary.ts';
import type { EntryDraft, EntryKind, LedgerEntry } from './entry.ts';
import type { StateRecord } from './state-record.ts';

/** Filter of entries. A field that is left out matches everything. */
export interface EntryQuery {
  /** Not before, in milliseconds since the epoch. */
  readonly startTimeMs?: number | undefined;
  /** Before, in milliseconds since the epoch. */
  readonly endTimeMs?: number | undefined;
  readonly destination?: string | undefined;
  readonly client?: string | undefined;
  readonly kind?: EntryKind | undefined;
  /** An id of `newIssuanceId` is sought at its own time, which an entry's lies at most a second before. */
  readonly issuanceId?: string | undefined;
  readonly traceId?: string | undefined;
  /** Only what was written after this position; 0 for the beginning. */
  readonly afterPosition: number;
  readonly limit: number;
}

/** An entry and its position among all that the store holds. */
export interface PositionedEntry {
  /**
   * Rises in the order of writing, over all chains. Where several instances write at once, one that commits later can still
   * get the lower position: to miss nothing, follow the chains.
   */
  readonly position: number;
  readonly entry: LedgerEntry;
}

/** Chain of a writer, as the store has recorded it. */
export interface ChainRecord {
  readonly writerId: string;
  /** Chains are numbered from 1 without gaps. */
  readonly number: number;
  /** Predecessor of the first kept entry: the beginning, or the last entry that retention removed. */
  readonly anchor: ChainHead;
  /** The last entry that was written. */
  readonly head: ChainHead;
  /** Set where this service recorded anchor and head. Otherwise somebody else wrote to the store. */
  readonly genuine: boolean;
}

/** Reading, verifying and shortening the ledger. Every method rejects with StoreError. */
export interface LedgerStore {
  /**
   * Entries that match, in the order of writing; fewer than `limit` when there are no more. Rejects with
   * `STORE_UNAVAILABLE` when the search takes too long: a range of time makes it shorter.
   */
  listEntries(query: EntryQuery): Promise<readonly PositionedEntry[]>;

  /** Counts the issued credentials that match, one step of the ledger at a time. Call it until `lastPosition` is reached. */
  countIssued(query: IssuedStepQuery): Promise<IssuedStep>;

  /** Every chain, by number. */
  listChains(): Promise<readonly ChainRecord[]>;

  /** The record of what decides besides the ledger, checked: also of each document that was ever applied. */
  readStateRecord(): Promise<StateRecord>;

  /** Entries of a chain behind a place, in their order. */
  readChain(page: {
    writerId: string;
    afterSequence: number;
    limit: number;
  }): Promise<readonly LedgerEntry[]>;

  /**
   * Removes of each chain the unbroken run of oldest entries before a time, moves its anchor there, and records `entry`, even
   * if there was nothing to remove; then gives the space back to the disk of a store in a file. Gives how many were removed. The newest entry of a chain always stays, and so does
   * everything from an entry on that does not hold, since removing it would sweep away what was done to it.
   *
   * Goes in steps, each all or nothing, the first together with `entry`. When it rejects half way, what is left verifies and
   * the call can be made again.
   */
  removeEntries(removal: { beforeTimeMs: number; entry: EntryDraft }): Promise<number>;
}
