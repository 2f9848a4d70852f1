import { fromBinary } from '@bufbuild/protobuf';
import { ConfigurationSchema } from '@callpass/contract';
import {
  EMPTY_CONFIGURATION,
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
}

/**
 * Holds the snapshot in force and follows the store: a change made by any instance is served after the poll interval at
 * the latest. While the store does not answer, the last snapshot stays in force.
 */
export class CurrentState {
  readonly #store: Store;
  readonly #events: StateEvents;
  readonly #keys = new Map<string, RealmKey>();
  readonly #operators: readonly NamedOperator[];
  #configuration: { revision: number; value: Configuration } & Pick<Snapshot, 'clients' | 'destinations'>;
  #snapshot: Snapshot;
  #timer: NodeJS.Timeout | undefined;
  #reloading: Promise<void> | undefined;
  #confirmedAtMs = performance.now();

  private constructor(
    store: Store,
    options: { events: StateEvents; operators: readonly NamedOperator[] },
    state: StoredState,
  ) {
    this.#store = store;
    this.#events = options.events;
    this.#operators = options.operators;
    this.#configuration = this.#indexed(0, EMPTY_CONFIGURATION);
    this.#snapshot = this.#build(state);
  }

  /** Reads the state once and keeps following it until `stop`. */
  static async follow(
    store: Store,
    options: { pollIntervalMs: number; events: StateEvents; operators: readonly NamedOperator[] },
  ): Promise<CurrentState> {
    const current = new CurrentState(store, options, await store.loadState());
    current.#poll(options.pollIntervalMs);
    // Where the store can tell, a change is in force at once; polling stays behind it for what gets lost.
    store.onStateChanged?.(() => {
      current.reload().catch((error: unknown) => {
        options.events.onFailed(error);
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

  /** Reads the state again, now: after a change of our own. Resolves when a snapshot not older than the call is in force. */
  async reload(): Promise<void> {
    await this.#reloading?.catch(() => undefined);
    this.#reloading ??= this.#load().finally(() => {
      this.#reloading = undefined;
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
          if (version !== this.#snapshot.version) return this.reload();
          this.#confirmedAtMs = performance.now();
          return undefined;
        })
        .catch((error: unknown) => {
          this.#events.onFailed(error);
        })
        .finally(() => {
          if (this.#timer !== undefined) this.#poll(intervalMs);
        });
    }, intervalMs);
    this.#timer.unref();
  }

  async #load(): Promise<void> {
    const snapshot = this.#build(await this.#store.loadState());
    const changed = snapshot.version !== this.#snapshot.version;
    this.#snapshot = snapshot;
    this.#confirmedAtMs = performance.now();
    if (changed) this.#events.onChanged(snapshot);
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

  /** Opens each key once and keeps its handle from snapshot to snapshot: making one costs more than a token. */
  #handle(realm: Realm, stored: StoredState['keys'][number]): RealmKey | undefined {
    if (stored.keyText === undefined) return undefined;
    const name = handleName(realm, stored.version);
    let handle = this.#keys.get(name);
    if (!handle) {
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
