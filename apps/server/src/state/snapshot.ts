import {
  FreezeIndex,
  keyValidates,
  type Configuration,
  type Realm,
  type RealmKeyRecord,
  type StoredState,
} from '@callpass/domain';
import { compileDestination, type CompiledDestination } from '@callpass/domain';
import type { RealmKey } from '@callpass/token-core';
import type { ClientIndex } from './client-index.ts';

/** A realm's key, ready to encrypt and decrypt. */
export interface SnapshotKey {
  readonly record: RealmKeyRecord;
  readonly version: number;
  readonly key: RealmKey;
}

/** A realm as the hot path needs it. */
export interface SnapshotRealm {
  readonly realm: Realm;
  /** The key that encrypts; `undefined` where none is active. */
  readonly active: SnapshotKey | undefined;
  /** The keys that may decrypt tokens, newest first. A retired one may have run out since: ask `decryptionKeys`. */
  readonly keys: readonly SnapshotKey[];
  /** Set where there is a key that may decrypt tokens, and that this process cannot open. */
  readonly hasUnopenedKey: boolean;
}

/** Everything a request needs to know, immutable, made once for each change of state. */
export interface Snapshot {
  /** The store's version of this state. */
  readonly version: number;
  /** The configuration revision in force; 0 before the first. */
  readonly revision: number;
  readonly configuration: Configuration;
  readonly realms: ReadonlyMap<string, SnapshotRealm>;
  readonly destinations: ReadonlyMap<string, CompiledDestination>;
  readonly freezes: FreezeIndex;
  readonly clients: ClientIndex;
  /** See {@link StoredState.sealedAnew}. */
  readonly sealedAnew: boolean;
}

/** The destinations of a configuration, ready to be asked: once for each revision, since there may be many. */
export function compileDestinations({
  destinations,
}: Configuration): ReadonlyMap<string, CompiledDestination> {
  return new Map(destinations.map((destination) => [destination.id, compileDestination(destination)]));
}

/** Builds the snapshot of a state. `keyOf` gives the handle of a stored key that is not destroyed. */
export function buildSnapshot(
  state: StoredState,
  { configuration, clients, destinations }: Pick<Snapshot, 'configuration' | 'clients' | 'destinations'>,
  keyOf: (realm: Realm, stored: StoredState['keys'][number]) => RealmKey | undefined,
): Snapshot {
  const realms = new Map<string, SnapshotRealm>();
  for (const realm of configuration.realms) {
    const stored = state.keys.filter((key) => key.realm === realm.name && key.state !== 'DESTROYED');
    const keys = stored.flatMap((record) => {
      const key = keyOf(realm, record);
      return key === undefined ? [] : [{ record, version: record.version, key }];
    });
    const active = keys.find(({ record }) => record.state === 'ACTIVE');
    realms.set(realm.name, { realm, active, keys, hasUnopenedKey: keys.length < stored.length });
  }
  return {
    version: state.version,
    revision: state.revision?.revision ?? 0,
    configuration,
    realms,
    destinations,
    freezes: new FreezeIndex(state.freezes),
    clients,
    sealedAnew: state.sealedAnew,
  };
}

/** Tests that a realm has a key that this process cannot open. */
export function hasUnopenedKey({ realms }: Snapshot): boolean {
  return [...realms.values()].some((realm) => realm.hasUnopenedKey);
}

/** The keys that decrypt tokens at `nowMs`, newest first. */
export function decryptionKeys(realm: SnapshotRealm, nowMs: number): readonly SnapshotKey[] {
  return realm.keys.every(({ record }) => keyValidates(record, nowMs))
    ? realm.keys
    : realm.keys.filter(({ record }) => keyValidates(record, nowMs));
}
