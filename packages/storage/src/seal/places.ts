import type { SealPlace } from './sealer.ts';

/** The rows of `secrets`: the value that proves the key-encryption key, and the secret of the ledger's keyed hashes. */
export const SECRET_PLACES = {
  check: ['check value'],
  ledger: ['ledger secret'],
} as const satisfies Record<string, SealPlace>;

/** The text of a realm key. */
export function realmKeyPlace(key: { realm: string; version: number }): SealPlace {
  return ['realm key', key.realm, key.version];
}

/** The answer remembered for a client's request id. */
export function answerPlace(answer: { client: string; requestId: string }): SealPlace {
  return ['answer', answer.client, answer.requestId];
}
