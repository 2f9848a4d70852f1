import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { create, toBinary } from '@bufbuild/protobuf';
import { Cipher, ConfigurationSchema } from '@callpass/contract';
import { StoreError, type Store, type StoredState, type StoreErrorCode } from '@callpass/domain';
import { CurrentState, type Staleness } from './current-state.ts';

const MAX_AGE_MS = 60_000;
const KEY = { realm: 'r', version: 1, state: 'ACTIVE', fingerprint: 'f', createTimeMs: 0 } as const;
const NO_TIMES = { activateTimeMs: 0, retireTimeMs: undefined, destroyTimeMs: undefined };
const FREEZE = {
  scope: { kind: 'REALM', value: 'r' },
  ...{ reason: 'leak', freezeTimeMs: 0, untilMs: undefined, frozenBy: 'operator' },
} as const;
const document = toBinary(
  ConfigurationSchema,
  create(ConfigurationSchema, {
    realms: [{ name: 'r', cipher: Cipher.AES_128_ECB, tokenLifetime: { seconds: 60n } }],
  }),
);

let current: CurrentState | undefined;
afterEach(() => current?.stop());

/** Follows a store that answers what it is told to, by a clock that is moved. */
async function follow({ pollIntervalMs = 1_000_000 } = {}) {
  const stored: { state: StoredState; fault: StoreErrorCode | undefined } = {
    state: {
      version: 1,
      revision: { revision: 1, applyTimeMs: 0, appliedBy: 'operator', document },
      keys: [{ ...KEY, ...NO_TIMES, validateUntilMs: undefined, keyText: Buffer.from('realm-key-16byte') }],
      freezes: [],
      sealedAnew: false,
    },
    fault: undefined,
  };
  const clock = { nowMs: 0 };
  const reported: (Staleness | 'altered' | 'restored' | undefined)[] = [];
  const answer = <T>(value: () => T): Promise<T> =>
    stored.fault
      ? Promise.reject(new StoreError(stored.fault, 'it is so in this test'))
      : Promise.resolve(value());
  const store: Pick<Store, 'loadState' | 'stateVersion'> = {
    stateVersion: () => answer(() => stored.state.version),
    loadState: () => answer(() => stored.state),
  };
  current = await CurrentState.follow(store as Store, {
    pollIntervalMs,
    maxAgeMs: MAX_AGE_MS,
    operators: [],
    nowMs: () => clock.nowMs,
    events: {
      onChanged: () => undefined,
      onFailed: () => undefined,
      onStale: (staleness) => reported.push(staleness),
      onAltered: () => reported.push('altered'),
      onRestored: () => reported.push('restored'),
    },
  });
  const state = current;
  const reload = () => state.reload().catch(() => undefined);
  return { state, stored, clock, reported, reload };
}

describe('CurrentState', () => {
  it('is too old once a silent store has not confirmed it for longer than the bound, until it answers', async () => {
    const { state, stored, clock, reported, reload } = await follow();
    stored.fault = 'STORE_UNAVAILABLE';
    clock.nowMs = MAX_AGE_MS;
    await reload();
    expect(state.staleness).toBeUndefined();
    clock.nowMs++;
    expect(state.staleness).toBe('TOO_OLD');
    await reload();
    stored.fault = undefined;
    await reload();
    expect(state.staleness).toBeUndefined();
    expect(reported).toEqual(['TOO_OLD', undefined]);
  });

  it.each<StoreErrorCode>(['SEAL_KEY_WRONG', 'SCHEMA_TOO_NEW'])(
    'is stale at once where the store answers with what cannot be read: %s',
    async (fault) => {
      const { state, stored, reload } = await follow();
      stored.fault = fault;
      await reload();
      expect(state.staleness).toBe('UNREADABLE');
      expect(state.snapshot.version).toBe(1);
    },
  );

  it('keeps the last state that held in force for everything, and reports once, while somebody else has changed the store', async () => {
    const { state, stored, clock, reported, reload } = await follow();
    stored.fault = 'STATE_ALTERED';
    stored.state = { ...stored.state, version: 2, freezes: [FREEZE] };
    await reload();
    clock.nowMs = 2 * MAX_AGE_MS;
    await reload();
    expect(state).toMatchObject({ altered: true, staleness: undefined, snapshot: { version: 1 } });
    stored.fault = undefined;
    await reload();
    expect(state).toMatchObject({ altered: false, snapshot: { version: 2 } });
    expect(reported).toEqual(['altered', 'restored']);
  });

  it('takes over what stops from a store that was sealed anew, and goes on with the keys that it has', async () => {
    const { state, stored, reload } = await follow();
    const keys = stored.state.keys.map((key) => ({ ...key, keyText: undefined }));
    stored.state = { ...stored.state, version: 2, sealedAnew: true, keys, freezes: [FREEZE] };
    await reload();
    expect(state.staleness).toBe('SEALED_ANEW');
    expect(state.snapshot.freezes.find({ realm: 'r' }, 0)).toEqual(FREEZE);
    expect(state.snapshot.realms.get('r')).toMatchObject({ hasUnopenedKey: false, keys: [{ version: 1 }] });
    const destroyed = keys.map((key) => ({ ...key, state: 'DESTROYED' as const }));
    const added = { ...KEY, ...NO_TIMES, version: 2, validateUntilMs: undefined, keyText: undefined };
    stored.state = { ...stored.state, version: 3, keys: [added, ...destroyed] };
    await reload();
    expect(state.snapshot.realms.get('r')).toMatchObject({ hasUnopenedKey: true, keys: [] });
  });

  it('issues again by itself when a store that was sealed anew is under its key again, in the same version', async () => {
    const { state, stored, reload } = await follow({ pollIntervalMs: 1 });
    stored.state = { ...stored.state, version: 2, sealedAnew: true };
    await reload();
    expect(state.staleness).toBe('SEALED_ANEW');
    stored.state = { ...stored.state, sealedAnew: false };
    for (let polls = 0; polls < 1_000 && state.staleness !== undefined; polls++) await pause(1);
    expect(state.snapshot).toMatchObject({ version: 2, sealedAnew: false });
  });
});
