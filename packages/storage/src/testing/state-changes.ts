import { throwawayKey } from '@callpass/testkit';

/** Realm of the changes. */
export const REALM = 'support.example';
/** Time of the changes. */
export const NOW_MS = 1_800_000_000_000;

/** The change that adds the first key of the realm. */
export function addKey(keyText: Uint8Array) {
  return {
    kind: 'addKey',
    realm: REALM,
    version: 1,
    keyText,
    fingerprint: '00112233aabbccdd',
    createTimeMs: NOW_MS,
  } as const;
}

/** The change that remembers an answer. */
export function remember(answer: Uint8Array) {
  return {
    kind: 'rememberAnswer',
    client: 'web-edge',
    requestId: '8d0f',
    bodyHash: throwawayKey(),
    answer,
    nowMs: NOW_MS,
    expireTimeMs: NOW_MS + 600_000,
  } as const;
}
