import {
  isCompromised,
  keyValidates,
  mayStep,
  validateUntil,
  type KeyMove,
  type KeyState,
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
import { loadWiped } from '../state/load-wiped.ts';
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
  const same = known.filter((record) => record.fingerprint === fingerprint);
  if (same.some(({ state }) => state !== 'DESTROYED')) {
    throw invalidField('key', 'is a key of this realm already');
  }
  if (same.some(isCompromised)) {
    throw invalidField('key', 'was destroyed while its tokens were valid, as a leaked key is: take another');
  }
  const version = 1 + Math.max(0, ...known.map((record) => record.version));
  const createTimeMs = dependencies.clock.now();
  await recordStep(
    dependencies,
    principal,
    { realm: realm.name, version, state: 'PENDING', why: '' },
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
  const { keys } = await loadWiped(dependencies.store);
  return realm === '' ? keys : keys.filter((key) => key.realm === realm);
}

/** A step of a key that an operator asks for. */
export interface KeyStepRequest {
  readonly realm: string;
  readonly version: number;
  readonly step: KeyStep;
  /** Destroys a key in any state and with valid tokens. */
  readonly force?: boolean;
  /** The operator's reason; empty for none. */
  readonly reason?: string;
}

/**
 * Takes a step in a key's life. Activating one retires the one that was active.
 *
 * @throws {Refusal} `REALM_UNKNOWN`, `KEY_UNKNOWN`; `KEY_STATE_INVALID` where the state does not allow the step, also when
 * another operator was faster; `REQUEST_INVALID` for force without a reason.
 */
export async function stepKey(
  dependencies: AdminDependencies,
  principal: Principal,
  { realm, version, step, force = false, reason = '' }: KeyStepRequest,
): Promise<RealmKeyRecord> {
  if (force && reason === '') throw invalidField('reason', 'is required with force');
  const keys = await keysOf(dependencies, realm);
  const key = keys.find((record) => record.version === version);
  if (!key) throw new Refusal(keys.length > 0 ? 'KEY_UNKNOWN' : 'REALM_UNKNOWN');

  const timeMs = dependencies.clock.now();
  if (force) {
    if (key.state === 'DESTROYED') throw stateInvalid(key, step);
  } else assertMayStep(key, step, timeMs);
  const moves = [move(dependencies, key, STEPS[step], timeMs)];
  const active = keys.find((record) => record.state === 'ACTIVE');
  if (step === 'activate' && active) moves.unshift(move(dependencies, active, 'RETIRED', timeMs));
  await recordStep(
    dependencies,
    principal,
    { realm, version, state: STEPS[step], why: force ? `forced: ${reason}` : reason },
    { kind: 'moveKeys', moves },
  );
  return keyOf(dependencies, realm, version);
}

function assertMayStep(key: RealmKeyRecord, step: KeyStep, nowMs: number): void {
  if (!mayStep(key.state, step)) throw stateInvalid(key, step);
  if (step !== 'destroy' || key.activateTimeMs === undefined || !keyValidates(key, nowMs)) return;
  throw new Refusal('KEY_STATE_INVALID', {
    message:
      'tokens of this key are still valid; destroy it when the last has run out, or with force if it has leaked',
    metadata: { validateUntil: new Date(key.validateUntilMs ?? nowMs).toISOString() },
  });
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
  step: { realm: string; version: number; state: KeyState; why: string },
  change: StateChange,
): Promise<void> {
  const outcome = await dependencies.store.record(
    {
      kind: 'KEY_STATE_CHANGED',
      timeMs: dependencies.clock.now(),
      client: principal.client,
      realm: step.realm,
      keyVersion: step.version,
      reason: step.state,
      rule: step.why,
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
