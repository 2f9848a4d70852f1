import type { StateChange } from '@callpass/domain';
import { throwawayKey } from '../throwaway-key.ts';

/** Time of every change and entry of the conformance tests, in ms. */
export const NOW_MS = 1_800_000_000_000;
/** Realm of every change and entry of the conformance tests. */
export const REALM = 'support.example';

/** Hash of the body of every remembered request. */
export const BODY_HASH = throwawayKey(32);

/** A freeze of destination `support` without an end. */
export const FREEZE = {
  scope: { kind: 'DESTINATION', value: 'support' },
  reason: 'fraud suspected',
  freezeTimeMs: NOW_MS,
  untilMs: undefined,
  frozenBy: 'operator',
} as const;

/** A change to a configuration, if the revision is the expected one. */
export function applyChange(expectedRevision: number, document: string): StateChange {
  return {
    kind: 'applyConfiguration',
    document: Buffer.from(document),
    expectedRevision,
    applyTimeMs: NOW_MS,
    appliedBy: 'operator',
  };
}

/** The addition of a key, PENDING. */
export function addKey(version: number) {
  return {
    kind: 'addKey',
    realm: REALM,
    version,
    keyText: throwawayKey(16),
    fingerprint: '00112233aabbccdd',
    createTimeMs: NOW_MS,
  } as const;
}

/** A move of a key from one state to another. */
export function move(
  version: number,
  from: 'PENDING' | 'ACTIVE' | 'RETIRED',
  to: 'ACTIVE' | 'RETIRED' | 'DESTROYED',
  times: { timeMs: number; validateUntilMs?: number } = { timeMs: NOW_MS },
) {
  return { kind: 'moveKeys', moves: [{ realm: REALM, version, from, to, ...times }] } as const;
}

/** An answer that is remembered for ten minutes. */
export function remember(requestId: string, answer: string) {
  return {
    kind: 'rememberAnswer',
    client: 'web-edge',
    requestId,
    bodyHash: BODY_HASH,
    answer: Buffer.from(answer),
    nowMs: NOW_MS,
    expireTimeMs: NOW_MS + 600_000,
  } as const;
}
