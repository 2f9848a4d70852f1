import type { TimestampUnit } from '@callpass/token-core';
import type { Realm } from './configuration.ts';

/** The times of one issue, whole milliseconds since the epoch. */
export interface CredentialTimes {
  /** The time inside the tokens, in the unit of the realm. */
  readonly issueTimeMs: number;
  /** The first instant at which the tokens are no longer valid. */
  readonly expireTimeMs: number;
  /** From when a client should fetch new ones instead of using these. */
  readonly refreshTimeMs: number;
}

const UNIT_MS: Readonly<Record<TimestampUnit, number>> = { MILLISECONDS: 1, SECONDS: 1000 };

/**
 * The times of credentials made at `nowMs`. Cut down, never rounded up: a token from the future is not valid yet.
 *
 * Refresh comes after 80 % of the lifetime. The gateway looks at the time when the call is placed, so what is left must be
 * enough for a visitor to press the button and for the call to get there.
 */
export function credentialTimes(
  realm: Pick<Realm, 'timestampUnit' | 'tokenLifetimeMs'>,
  nowMs: number,
): CredentialTimes {
  const unitMs = UNIT_MS[realm.timestampUnit];
  const issueTimeMs = Math.floor(nowMs / unitMs) * unitMs;
  return {
    issueTimeMs,
    expireTimeMs: issueTimeMs + realm.tokenLifetimeMs,
    refreshTimeMs: issueTimeMs + Math.floor((realm.tokenLifetimeMs * 4) / 5),
  };
}
