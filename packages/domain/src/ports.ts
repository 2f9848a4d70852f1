import type { EntryDraft, LedgerEntry, LedgerStore } from '@callpass/ledger';
import type { ReplayPlan, ReplayStep } from './replay/replay-report.ts';
import type { Freeze, FreezeScope } from './realm/freeze.ts';
import type { KeyState, RealmKeyRecord } from './realm/key.ts';

/** The time. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

/** An applied configuration without its document. */
export interface RevisionRecord {
  /** Counts from 1. */
  readonly revision: number;
  readonly applyTimeMs: number;
  readonly appliedBy: string;
}

/** An applied configuration. The store keeps the document as bytes and does not look inside. */
export interface StoredRevision extends RevisionRecord {
  readonly document: Uint8Array;
}

/** A realm key with its text, unsealed. `keyText` is undefined once destroyed, and where {@link StoredState.sealedAnew}. */
export interface StoredRealmKey extends RealmKeyRecord {
  readonly keyText: Uint8Array | undefined;
}

/** All that the snapshot of the hot path is made of, read at one instant. */
export interface StoredState {
  /** As `stateVersion` gives it. */
  readonly version: number;
  /** `undefined` before the first configuration. */
  readonly revision: StoredRevision | undefined;
  /** By realm, newest version first. */
  readonly keys: readonly StoredRealmKey[];
  /** Freezes that are not lifted; expired ones may be among them. */
  readonly freezes: readonly Freeze[];
  /**
   * Set where the store was sealed under another key-encryption key since this process has opened it. Keys are without their
   * text then; everything that stops (freezes, revision, states of keys) is there all the same.
   */
  readonly sealedAnew: boolean;
}

/** A change of state that goes into the store together with the entry that records it, or not at all. */
export type StateChange =
  | {
      readonly kind: 'applyConfiguration';
      readonly document: Uint8Array;
      /** The revision in force must be this one; 0 for none. Otherwise `revisionConflict`. */
      readonly expectedRevision: number;
      readonly applyTimeMs: number;
      readonly appliedBy: string;
    }
  | {
      /** The version is the next of the realm and must be `version`; otherwise `keyConflict`. */
      readonly kind: 'addKey';
      readonly realm: string;
      readonly version: number;
      readonly keyText: Uint8Array;
      readonly fingerprint: string;
      readonly createTimeMs: number;
    }
  | {
      /** Each key must be in state `from` and no realm may end up with two ACTIVE keys; otherwise `keyConflict`. */
      readonly kind: 'moveKeys';
      readonly moves: readonly KeyMove[];
    }
  | { readonly kind: 'freeze'; readonly freeze: Freeze }
  | {
      /** Nothing frozen under it: `freezeUnknown`. */
      readonly kind: 'unfreeze';
      readonly scope: FreezeScope;
    }
  | {
      /** Claims a request id for a client. Claimed before and not expired at `nowMs`: `answeredBefore`. */
      readonly kind: 'rememberAnswer';
      readonly client: string;
      readonly requestId: string;
      /** `KeyedHash.request`, to tell another body under the same id. 32 bytes. */
      readonly bodyHash: Uint8Array;
      /** The answer, which the store seals. */
      readonly answer: Uint8Array;
      readonly nowMs: number;
      readonly expireTimeMs: number;
    };

/** One key's step from a state to another. DESTROYED erases the key's text for good. */
export interface KeyMove {
  readonly realm: string;
  readonly version: number;
  readonly from: KeyState;
  readonly to: KeyState;
  readonly timeMs: number;
  /** With RETIRED: until when it validates. */
  readonly validateUntilMs?: number | undefined;
}

/** The tokens of one issue as they go to the caller. The store keeps only their keyed fingerprints. */
export interface IssuedTokens {
  readonly account: string;
  readonly from: string;
  readonly to: string;
}

/** Options of a record: what goes into the store with the entry. */
export interface RecordOptions {
  /** The change of state that the entry records. */
  readonly change?: StateChange | undefined;
  /**
   * The store computes their fingerprints (see {@link KeyedHash}) and puts them into the entry, whose own must be
   * `undefined`. At most {@link MAX_KEYED_HASH_BYTES} bytes each.
   */
  readonly tokens?: IssuedTokens | undefined;
  /** Called once, just before the record settles, with the commit that it shared; never for one that was not tried. */
  readonly onCommit?: ((commit: SharedCommit) => void) | undefined;
}

/** A commit that entries of many calls shared, as it was measured: the same object for each of them. */
export interface SharedCommit {
  /** `overdue`: it has not come back in time; the entries may or may not have been written. */
  readonly outcome: 'committed' | 'failed' | 'overdue';
  /** Start, on the clock of `performance.now()` of this thread. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** Entries in it. */
  readonly size: number;
  /** Bytes of texts and fingerprints in it, about. */
  readonly bytes: number;
  /** Entries that wait for the next one. */
  readonly queued: number;
}

/** Outcome of a record. Everything but `recorded` has changed nothing and written no entry. */
export type RecordOutcome =
  | { readonly outcome: 'recorded' }
  | { readonly outcome: 'revisionConflict'; readonly currentRevision: number }
  | { readonly outcome: 'keyConflict' }
  | { readonly outcome: 'freezeUnknown' }
  | { readonly outcome: 'answeredBefore'; readonly bodyHash: Uint8Array; readonly answer: Uint8Array };

/** Why the store did not do what was asked. The cause is for the log only. */
export class StoreError extends Error {
  /**
   * `LEDGER_UNAVAILABLE`: an entry could not be written (disk full, database gone, lock held, queue full).
   * `STORE_UNAVAILABLE`: a read did not come back. `SEAL_KEY_WRONG`: the key-encryption key does not open this store.
   * `SCHEMA_OUTDATED` / `SCHEMA_TOO_NEW`: `migrate` was not run, or by a newer version of the service.
   * `STATE_ALTERED`: configuration, keys or freezes are not as this service left them; the message says which.
   */
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}

/** See {@link StoreError.code}. */
export type StoreErrorCode =
  | 'LEDGER_UNAVAILABLE'
  | 'STORE_UNAVAILABLE'
  | 'SEAL_KEY_WRONG'
  | 'SCHEMA_OUTDATED'
  | 'SCHEMA_TOO_NEW'
  | 'STATE_ALTERED';

/** Times that the store knows of, to hold a clock against. */
export interface StoreTimes {
  /** The clock of the database's machine; `undefined` where the database has none but this machine's. */
  readonly databaseMs: number | undefined;
  /**
   * True where the database is reached as another machine is. A container on this machine looks like one too, though it has
   * this machine's clock.
   */
  readonly elsewhere: boolean;
  /** Time of the latest issue after the time that was asked for; `undefined` where there is none. */
  readonly laterIssueMs: number | undefined;
}

/** Durable state and ledger. Every method rejects with {@link StoreError} and never hangs past its own limits. */
export interface Store extends LedgerStore {
  /** The secret of {@link KeyedHash}, the same on every instance: 32 bytes, made with the store and sealed in it. */
  readonly ledgerSecret: Uint8Array;

  /** Changes whenever configuration, keys or freezes do. Cheap: asked several times a second. */
  stateVersion(): Promise<number>;

  /** Everything the snapshot needs. Rejects with `STATE_ALTERED` where anything of it is not as this service left it. */
  loadState(): Promise<StoredState>;

  /** Checks all that `loadState` reads, without giving it. Rejects as that does. */
  checkState(): Promise<void>;

  /** One revision, or `undefined`. Rejects with `STATE_ALTERED` where it is not as it was applied. */
  getRevision(revision: number): Promise<StoredRevision | undefined>;

  /** Revisions below `beforeRevision` (all when 0), newest first, at most `limit`. */
  listRevisions(page: { beforeRevision: number; limit: number }): Promise<readonly RevisionRecord[]>;

  /**
   * Writes an entry at the end of this instance's chain, and the change it records with it. Resolves when both are on
   * disk. Entries of concurrent calls share one commit and keep the order of the calls. Rejects with `TypeError` for an
   * entry that has no canonical form and for tokens that have no fingerprint, which is the caller's mistake.
   */
  record(entry: EntryDraft, options?: RecordOptions): Promise<RecordOutcome>;

  /** The entries of kind ISSUED for a realm whose tokens hold exactly this time. */
  findIssued(query: { realm: string; timeMs: number }): Promise<readonly LedgerEntry[]>;

  /** Tells if entries of this time may have been removed, so that a record that is not found may have existed. */
  hasRemoved(timeMs: number): Promise<boolean>;

  /** The answer remembered for a request id and not expired at `nowMs`, or `undefined`. */
  findAnswer(query: {
    client: string;
    requestId: string;
    nowMs: number;
  }): Promise<{ bodyHash: Uint8Array; answer: Uint8Array } | undefined>;

  /**
   * Calls the listener soon after `stateVersion` changed, on whatever instance; the function given back ends that. Left
   * out where the store cannot tell. A message may get lost: ask `stateVersion` now and then all the same.
   */
  readonly onStateChanged?: ((listener: () => void) => () => void) | undefined;

  /** Entries that wait for a commit or are in it; left out where nothing waits. */
  readonly queuedEntries?: number;

  /** Reads the database's clock, and whether any instance has issued after `afterMs`. Two reads by index at most. */
  readTimes(afterMs: number): Promise<StoreTimes>;

  /**
   * Tries a configuration on what the ledger holds now, in a thread and on a connection of its own, so that what is served does
   * not wait for it. The last step has the report. Nothing goes on once the iteration is left.
   */
  replay(plan: ReplayPlan): AsyncGenerator<ReplayStep, void>;

  /** Checks that the store answers, with one trivial read. */
  probe(): Promise<void>;

  /** Finishes what was accepted and lets go of files and connections. */
  close(): Promise<void>;
}
