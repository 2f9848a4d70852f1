import {
  keyValidates,
  mayStep,
  validateUntil,
  type KeyMove,
  type KeyStep,
  type KeyedHash,
  type Realm,
  type RealmKeyRecord,
  type StateChange,
} from '@callpass/domain';
import { traceId } from '@callpass/telemetry';
import { generateKeyText, KeyLengthError, openRealmKey } from '@callpass/token-core';
import { invalidField, Refusal } from '../errors/refusal.ts';
import type { Principal } from '../state/principal.ts';
import type { AdminDependencies } from './configuration.ts';

/** State of a key after each step. */
const STEPS: Record<KeyStep, 'ACTIVE' | 'RETIRED' | 'DESTROYED'> = {
  activate: 'ACTIVE',
  retire: 'RETIRED',
  destroy: 'DESTROYED',
};

/**
 * Adds a key to a realm, in state PENDING.
 *
 * @throws {Refusal} `REALM_UNKNOWN`; `REQUEST_INVALID` for a key of the wrong length, with the length found and needed.
 */
export async function addKey(
  dependencies: AdminDependencies & { keyedHash: KeyedHash },
  principal: Principal,
  request: { realm: string; key: string | undefined },
): Promise<{ record: RealmKeyRecord; generatedKey: string }> {
  const realm = await realmOf(dependencies, request.realm);
  const generatedKey = request.key === undefined ? generateKeyText(realm.cipher) : '';
  const keyText = Buffer.from(request.key ?? generatedKey);
  assertLength(realm, keyText);
  const fingerprint = dependencies.keyedHash.realmKey(keyText);
  const known = await keysOf(dependencies, realm.name);
  if (known.some((record) => record.fingerprint === fingerprint && record.state !== 'DESTROYED')) {
    throw invalidField('key', 'is a key of this realm already');
  }
  const version = 1 + Math.max(0, ...known.map((record) => record.version));
  const createTimeMs = dependencies.clock.now();
  await recordStep(
    dependencies,
    principal,
    { realm: realm.name, version, reason: 'PENDING' },
    {
      kind: 'addKey',
      realm: realm.name,
      version,
      keyText,
      fingerprint,
      createTimeMs,
    },
  );
  return { record: await keyOf(dependencies, realm.name, version), generatedKey };
}

/** Every key of a realm, or of all, newest first. */
export async function listKeys(
  dependencies: AdminDependencies,
  realm: string,
): Promise<readonly RealmKeyRecord[]> {
  const { keys } = await dependencies.store.loadState();
  for (const key of keys) key.keyText?.fill(0);
  return realm === '' ? keys : keys.filter((key) => key.realm === realm);
}

/**
 * Takes a step in a key's life. Activating one retires the one that was active.
 *
 * @throws {Refusal} `REALM_UNKNOWN`, `KEY_UNKNOWN`; `KEY_STATE_INVALID` where the state does not allow the step, also when
 * another operator was faster.
 */
export async function stepKey(
  dependencies: AdminDependencies,
  principal: Principal,
  request: { realm: string; version: number; step: KeyStep },
): Promise<RealmKeyRecord> {
  const keys = await keysOf(dependencies, request.realm);
  const key = keys.find((record) => record.version === request.version);
  if (!key) throw new Refusal(keys.length > 0 ? 'KEY_UNKNOWN' : 'REALM_UNKNOWN');
  if (!mayStep(key.state, request.step)) throw stateInvalid(key, request.step);

  const timeMs = dependencies.clock.now();
  if (request.step === 'destroy' && key.activateTimeMs !== undefined && keyValidates(key, timeMs)) {
    throw new Refusal('KEY_STATE_INVALID', {
      message: 'tokens of this key are still valid; destroy it when the last has run out',
      metadata: { validateUntil: new Date(key.validateUntilMs ?? timeMs).toISOString() },
    });
  }
  const moves = [move(dependencies, key, STEPS[request.step], timeMs)];
  const active = keys.find((record) => record.state === 'ACTIVE');
  if (request.step === 'activate' && active) moves.unshift(move(dependencies, active, 'RETIRED', timeMs));
  await recordStep(
    dependencies,
    principal,
    { realm: key.realm, version: key.version, reason: STEPS[request.step] },
    { kind: 'moveKeys', moves },
  );
  return keyOf(dependencies, key.realm, key.version);
}

function move(
  dependencies: AdminDependencies,
  key: RealmKeyRecord,
  to: 'ACTIVE' | 'RETIRED' | 'DESTROYED',
  timeMs: number,
): KeyMove {
  const base = { realm: key.realm, version: key.version, from: key.state, to, timeMs };
  if (to !== 'RETIRED') return base;
  const realm = dependencies.state.snapshot.realms.get(key.realm)?.realm;
  // A key that never encrypted has no token to wait for, and a realm that is gone accepts none.
  const wasActive = key.state === 'ACTIVE' && realm !== undefined;
  return { ...base, validateUntilMs: wasActive ? validateUntil(timeMs, realm) : timeMs };
}

async function recordStep(
  dependencies: AdminDependencies,
  principal: Principal,
  step: { realm: string; version: number; reason: string },
  change: StateChange,
): Promise<void> {
  const outcome = await dependencies.store.record(
    {
      kind: 'KEY_STATE_CHANGED',
      timeMs: dependencies.clock.now(),
      client: principal.client,
      realm: step.realm,
      keyVersion: step.version,
      reason: step.reason,
      configurationRevision: dependencies.state.snapshot.revision,
      traceId: traceId() ?? '',
    },
    { change },
  );
  if (outcome.outcome !== 'recorded') {
    throw new Refusal('KEY_STATE_INVALID', {
      message: 'another operator changed the keys of this realm; look again',
    });
  }
  await dependencies.state.reload();
}

async function realmOf(dependencies: AdminDependencies, name: string): Promise<Realm> {
  await dependencies.state.reload();
  const realm = dependencies.state.snapshot.realms.get(name);
  if (!realm) throw new Refusal('REALM_UNKNOWN');
  return realm.realm;
}

async function keysOf(dependencies: AdminDependencies, realm: string): Promise<readonly RealmKeyRecord[]> {
  return listKeys(dependencies, realm);
}

async function keyOf(
  dependencies: AdminDependencies,
  realm: string,
  version: number,
): Promise<RealmKeyRecord> {
  const record = (await keysOf(dependencies, realm)).find((key) => key.version === version);
  if (!record) throw new Refusal('KEY_UNKNOWN');
  return record;
}

function assertLength(realm: Realm, keyText: Uint8Array): void {
  try {
    openRealmKey(realm.cipher, keyText).destroy();
  } catch (error) {
    if (!(error instanceof KeyLengthError)) throw error;
    throw invalidField('key', `has ${error.found} bytes; ${realm.cipher} needs ${error.needed}`);
  }
}

function stateInvalid(key: RealmKeyRecord, step: KeyStep): Refusal {
  return new Refusal('KEY_STATE_INVALID', {
    message: `cannot ${step} a key that is ${key.state}`,
    metadata: { state: key.state },
  });
}
