import { fromBinary } from '@bufbuild/protobuf';
import { ConfigurationSchema } from '@callpass/contract';
import {
  EMPTY_CONFIGURATION,
  StoreError,
  type Configuration,
  type Realm,
  type Store,
  type StoredState,
} from '@callpass/domain';
import { openRealmKey, type RealmKey } from '@callpass/token-core';
import { indexClients, type NamedOperator } from './client-index.ts';
import { configurationFromMessage } from './configuration-from-message.ts';
import { buildSnapshot, compileDestinations, type Snapshot } from './snapshot.ts';

/** Receives what happens while following the store, for the log. */
export interface StateEvents {
  onChanged(snapshot: Snapshot): void;
  onFailed(error: unknown): void;
  /** The snapshot is no longer the newest state of the store, or is it again. */
  onStale(staleness: Staleness | undefined): void;
  /** The store is not as this service left it. Called once for each text of it. */
  onAltered(error: StoreError): void;
  /** It holds again. */
  onRestored(): void;
}

/**
 * Cause for which the snapshot may miss a freeze or a key, so that nothing is issued by it: the store has not confirmed it
 * for too long; the store was sealed under another key-encryption key, so that new keys cannot be opened; or the store has a
 * newer state that cannot be read.
 */
export type Staleness = 'TOO_OLD' | 'SEALED_ANEW' | 'UNREADABLE';

/** Bounds on how the store is followed. */
export interface FollowOptions {
  readonly pollIntervalMs: number;
  /** Age at which a snapshot that the store does not confirm is too old for issuing. */
  readonly maxAgeMs: number;
  readonly events: StateEvents;
  readonly operators: readonly NamedOperator[];
  /** Milliseconds of a monotonic clock; `performance.now` where left out. */
  readonly nowMs?: () => number;
}

/** Interval of checking what lies in the store also where its version says that nothing has changed. */
const CHECK_EVERY_MS = 15_000;

/**
 * Holds the snapshot in force and follows the store: a change made by any instance is served after the poll interval at
 * the latest. While the store does not answer, or what it holds cannot be read, the last snapshot stays in force for
 * validating; {@link CurrentState.staleness} says so. While it is not as this service left it, the last snapshot stays in force
 * for everything; {@link CurrentState.altered} says so.
 */
export class CurrentState {
  readonly #store: Store;
  readonly #events: StateEvents;
  readonly #maxAgeMs: number;
  readonly #nowMs: () => number;
  readonly #keys = new Map<string, RealmKey>();
  readonly #operators: readonly NamedOperator[];
  #configuration: { revision: number; value: Configuration } & Pick<Snapshot, 'clients' | 'destinations'>;
  #snapshot: Snapshot;
  #timer: NodeJS.Timeout | undefined;
  #reloading: Promise<void> | undefined;
  #confirmedAtMs: number;
  #checkedAtMs: number;
  /** The last attempt to read a newer state has shown it, and what it is. */
  #unread: 'SEALED_ANEW' | 'UNREADABLE' | undefined;
  #reported: Staleness | undefined;
  #fault: string | undefined;

  private constructor(store: Store, options: FollowOptions, state: StoredState) {
    this.#store = store;
    this.#events = options.events;
    this.#maxAgeMs = options.maxAgeMs;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#confirmedAtMs = this.#nowMs();
    this.#checkedAtMs = this.#nowMs();
    this.#operators = options.operators;
    this.#configuration = this.#indexed(0, EMPTY_CONFIGURATION);
    this.#snapshot = this.#build(state);
  }

  /** Reads the state once and keeps following it until `stop`. */
  static async follow(store: Store, options: FollowOptions): Promise<CurrentState> {
    const current = new CurrentState(store, options, await store.loadState());
    current.#poll(options.pollIntervalMs);
    // Where the store can tell, a change is in force at once; polling stays behind it for what gets lost.
    store.onStateChanged?.(() => {
      current.reload().catch((error: unknown) => {
        current.#reportFailure(error);
      });
    });
    return current;
  }

  /** The snapshot in force. Take it once for each request, so that the request sees one state. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Time at which the store last confirmed that this snapshot is its state, on the clock of `performance.now()`. */
  get confirmedAtMs(): number {
    return this.#confirmedAtMs;
  }

  /** Cause for which nothing may be issued by this snapshot; `undefined` while it is the newest state of the store. */
  get staleness(): Staleness | undefined {
    if (this.#unread !== undefined) return this.#unread;
    return this.#nowMs() - this.#confirmedAtMs > this.#maxAgeMs ? 'TOO_OLD' : undefined;
  }

  /** True while the store is not as this service left it: the snapshot is of the last state that was. */
  get altered(): boolean {
    return this.#fault !== undefined;
  }

  /** Reads the state again, now: after a change of our own. Resolves when a snapshot not older than the call is in force. */
  async reload(): Promise<void> {
    await this.#reloading?.catch(() => undefined);
    this.#reloading ??= this.#load()
      .catch((error: unknown) => {
        this.#noteFailure(error);
        throw error;
      })
      .finally(() => {
        this.#reloading = undefined;
        this.#reportStaleness();
      });
    await this.#reloading;
  }

  /** Stops following and wipes the keys. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const key of this.#keys.values()) key.destroy();
    this.#keys.clear();
  }

  #poll(intervalMs: number): void {
    this.#timer = setTimeout(() => {
      void this.#store
        .stateVersion()
        .then((version) => {
          const isBehind = version !== this.#snapshot.version;
          // No version tells that a store is under its former key again.
          if (isBehind || this.altered || this.#snapshot.sealedAnew) return this.reload();
          if (this.#nowMs() - this.#checkedAtMs >= CHECK_EVERY_MS) return this.#check();
          this.#confirm(this.#snapshot);
          return undefined;
        })
        .catch((error: unknown) => {
          this.#noteFailure(error);
          this.#reportFailure(error);
        })
        .finally(() => {
          this.#reportStaleness();
          if (this.#timer !== undefined) this.#poll(intervalMs);
        });
    }, intervalMs);
    this.#timer.unref();
  }

  /** Finds what was altered behind the version's back. */
  async #check(): Promise<void> {
    await this.#store.checkState();
    this.#confirm(this.#snapshot);
    this.#hold();
  }

  /** All was read, and all of it holds. */
  #hold(): void {
    this.#checkedAtMs = this.#nowMs();
    if (this.#fault === undefined) return;
    this.#fault = undefined;
    this.#events.onRestored();
  }

  async #load(): Promise<void> {
    const snapshot = this.#build(await this.#store.loadState());
    const changed = snapshot.version !== this.#snapshot.version;
    this.#snapshot = snapshot;
    this.#confirm(snapshot);
    this.#hold();
    if (changed) this.#events.onChanged(snapshot);
  }

  #confirm({ sealedAnew }: Snapshot): void {
    this.#confirmedAtMs = this.#nowMs();
    this.#unread = sealedAnew ? 'SEALED_ANEW' : undefined;
  }

  /** A store that is silent may have nothing new. One that answers with what cannot be read has. */
  #noteFailure(error: unknown): void {
    const code = error instanceof StoreError ? error.code : undefined;
    if (code === 'STORE_UNAVAILABLE') return;
    if (error instanceof StoreError && code === 'STATE_ALTERED') {
      this.#noteAltered(error);
      return;
    }
    this.#unread = code === 'SEAL_KEY_WRONG' && this.#snapshot.sealedAnew ? 'SEALED_ANEW' : 'UNREADABLE';
  }

  /** It answers, and nothing can be changed until it holds again: the last state that held is the newest there is. */
  #noteAltered(error: StoreError): void {
    this.#confirm(this.#snapshot);
    if (error.message === this.#fault) return;
    this.#fault = error.message;
    this.#events.onAltered(error);
  }

  #reportFailure(error: unknown): void {
    if (!(error instanceof StoreError) || error.code !== 'STATE_ALTERED') this.#events.onFailed(error);
  }

  #reportStaleness(): void {
    const { staleness } = this;
    if (staleness === this.#reported) return;
    this.#reported = staleness;
    this.#events.onStale(staleness);
  }

  #build(state: StoredState): Snapshot {
    const stored = state.revision;
    if (stored && stored.revision !== this.#configuration.revision) {
      const message = fromBinary(ConfigurationSchema, stored.document);
      this.#configuration = this.#indexed(stored.revision, configurationFromMessage(message));
    }
    const { value: configuration, clients, destinations } = this.#configuration;
    const inUse = new Set<string>();
    const snapshot = buildSnapshot(state, { configuration, clients, destinations }, (realm, key) => {
      const handle = this.#handle(realm, key);
      if (handle) inUse.add(handleName(realm, key.version));
      return handle;
    });
    for (const [name, key] of this.#keys) {
      if (inUse.has(name)) continue;
      key.destroy();
      this.#keys.delete(name);
    }
    for (const key of state.keys) key.keyText?.fill(0);
    return snapshot;
  }

  #indexed(revision: number, value: Configuration) {
    return {
      revision,
      value,
      clients: indexClients(value.clients, this.#operators),
      destinations: compileDestinations(value),
    };
  }

  /**
   * Opens each key once and keeps its handle from snapshot to snapshot: making one costs more than a token. So what was opened
   * goes on validating when the store is sealed under another key-encryption key.
   */
  #handle(realm: Realm, stored: StoredState['keys'][number]): RealmKey | undefined {
    if (stored.state === 'DESTROYED') return undefined;
    const name = handleName(realm, stored.version);
    let handle = this.#keys.get(name);
    if (!handle && stored.keyText) {
      handle = openRealmKey(realm.cipher, stored.keyText);
      this.#keys.set(name, handle);
    }
    return handle;
  }
}

/** A realm that changes its cipher needs another handle; keys of the wrong length for it cannot have been added. */
function handleName(realm: Realm, version: number): string {
  return `${realm.cipher} ${version} ${realm.name}`;
}
