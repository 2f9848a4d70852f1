import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs, type Timestamp } from '@bufbuild/protobuf/wkt';
import { FreezeScopeSchema, KeyState, type FreezeEntrySchema, type RealmKeySchema } from '@callpass/contract';
import type { Freeze, FreezeKind, RealmKeyRecord } from '@callpass/domain';

/** A key as the contract's message, without the key itself. */
export function keyToMessage(key: RealmKeyRecord): MessageInitShape<typeof RealmKeySchema> {
  return {
    realm: key.realm,
    version: key.version,
    state: KeyState[key.state],
    fingerprint: key.fingerprint,
    ...times({
      createTime: key.createTimeMs,
      activateTime: key.activateTimeMs,
      retireTime: key.retireTimeMs,
      destroyTime: key.destroyTimeMs,
      validateUntilTime: key.validateUntilMs,
    }),
  };
}

const SCOPES = {
  REALM: 'realm',
  DESTINATION: 'destination',
  CLIENT: 'client',
  SUBJECT: 'subjectHash',
} as const satisfies Record<FreezeKind, string>;

/** A freeze; a visitor as the keyed hash. */
export function freezeToMessage(freeze: Freeze): MessageInitShape<typeof FreezeEntrySchema> {
  return {
    scope: create(FreezeScopeSchema, {
      scope: { case: SCOPES[freeze.scope.kind], value: freeze.scope.value },
    }),
    reason: freeze.reason,
    frozenBy: freeze.frozenBy,
    ...times({ freezeTime: freeze.freezeTimeMs, untilTime: freeze.untilMs }),
  };
}

/** Leaves out the times that are not set: protobuf-es tells an absent field from one that is undefined. */
export function times<K extends string>(
  values: Readonly<Record<K, number | undefined>>,
): Partial<Record<K, Timestamp>> {
  const present: Partial<Record<K, Timestamp>> = {};
  for (const key in values) {
    const value = values[key];
    if (value !== undefined) present[key] = timestampFromMs(value);
  }
  return present;
}
