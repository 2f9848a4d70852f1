import { millisecondsPer, type DecryptedToken, type TimestampUnit, type TokenKind } from './plaintext.ts';
import { type RealmKeyVersion, decryptWithKeys } from './decrypt.ts';
import { assertKind } from './encrypt.ts';

/**
 * What a token is worth. `NOT_ISSUED_HERE` and `FROZEN` need a ledger and a stop button: this package never returns them,
 * the service adds them.
 */
export type Verdict =
  | 'VALID'
  | 'EXPIRED'
  | 'NOT_YET_VALID'
  | 'MALFORMED'
  | 'UNDECIPHERABLE'
  | 'WRONG_KIND'
  | 'WRONG_TIME_UNIT'
  | 'NOT_ISSUED_HERE'
  | 'FROZEN'
  | 'MISMATCHED';

/** The realm's rules and the moment to verify at. */
export interface VerificationRules {
  /** The portal's "Duration to Expire Authentication", in milliseconds, more than 0. */
  readonly lifetimeMs: number;
  /** How far ahead the clock of a token's maker may be, in milliseconds, 0 or more. */
  readonly maxClockSkewMs: number;
  /** The unit of the realm. */
  readonly unit: TimestampUnit;
  /** The moment to verify at, milliseconds since the epoch. */
  readonly nowMs: number;
  /** What the token is to be used for; left out, any kind will do. */
  readonly kind?: TokenKind | undefined;
}

/** The verdict on one token, and what is known of it. Nothing but the verdict when no key decrypts the token. */
export interface TokenVerification {
  readonly verdict: Verdict;
  /** The user as in the plaintext, with `sip:` if it is there; escape before showing, see {@link DecryptedToken.user}. */
  readonly user?: string;
  /** Milliseconds since the epoch. Absent for `WRONG_TIME_UNIT`: no time is claimed from a guessed unit. */
  readonly issueTimeMs?: number;
  /** `issueTimeMs + lifetimeMs`: from here on the token is expired. */
  readonly expireTimeMs?: number;
  /** The newest key version that decrypts the token. */
  readonly keyVersion?: number;
}

/** From here on a number counts milliseconds (March 1973), below it seconds (until the year 5138). */
export const FIRST_MILLISECONDS = 1e11;

/**
 * Verifies one text as a token of a realm. `keys` are all keys that still count, newest first.
 *
 * The first that applies: `MALFORMED` (form), `UNDECIPHERABLE` (wrong key, bad MAC, bad padding, no timestamp: one way
 * through the code and one answer), `WRONG_TIME_UNIT`, `WRONG_KIND`, `NOT_YET_VALID`, `EXPIRED`, `VALID`. Valid means
 * `issueTime - maxClockSkew <= now < issueTime + lifetime`. That a token is valid does not say that it was issued here: ECB
 * tokens can be spliced, see the README. Any text gets a verdict; throws TypeError for arguments of the wrong kind and
 * KeyDestroyedError.
 */
export function verifyToken(
  keys: readonly RealmKeyVersion[],
  token: string,
  rules: VerificationRules,
): TokenVerification {
  assertRules(rules);
  const { decrypted, wellFormed } = decryptWithKeys(keys, token);
  if (decrypted === undefined) return { verdict: wellFormed ? 'UNDECIPHERABLE' : 'MALFORMED' };
  const { user, keyVersion } = decrypted;
  if (hasWrongUnit(decrypted, rules.unit)) return { verdict: 'WRONG_TIME_UNIT', user, keyVersion };
  const times = timesOf(decrypted.timestamp, rules);
  return { verdict: verdictOf(decrypted, times, rules), user, ...times, keyVersion };
}

/** When a token begins and ends to be valid, milliseconds since the epoch. */
export interface TokenTimes {
  readonly issueTimeMs: number;
  readonly expireTimeMs: number;
}

/** The times of a token that carries the number `timestamp`, counted in `unit`. */
export function timesOf(
  timestamp: number,
  { unit, lifetimeMs }: Pick<VerificationRules, 'unit' | 'lifetimeMs'>,
): TokenTimes {
  const issueTimeMs = timestamp * millisecondsPer(unit);
  return { issueTimeMs, expireTimeMs: issueTimeMs + lifetimeMs };
}

/** True when the number in the token is of the size the other unit has. */
export function hasWrongUnit(decrypted: DecryptedToken, unit: TimestampUnit): boolean {
  return decrypted.timestamp >= FIRST_MILLISECONDS !== (unit === 'MILLISECONDS');
}

/** Throws TypeError for rules that cannot be the programmer's intention. */
function assertRules(rules: VerificationRules): void {
  const { lifetimeMs, maxClockSkewMs, nowMs, unit, kind } = rules;
  if (!Number.isFinite(lifetimeMs) || lifetimeMs <= 0) throw new TypeError('lifetimeMs is not more than 0');
  if (!Number.isFinite(maxClockSkewMs) || maxClockSkewMs < 0)
    throw new TypeError('maxClockSkewMs is not 0 or more');
  if (!Number.isFinite(nowMs)) throw new TypeError('nowMs is not a number of milliseconds');
  millisecondsPer(unit);
  if (kind !== undefined) assertKind(kind);
}

function verdictOf(decrypted: DecryptedToken, times: TokenTimes, rules: VerificationRules): Verdict {
  const { kind, nowMs, maxClockSkewMs } = rules;
  if (kind !== undefined && (kind === 'ACCOUNT') !== (decrypted.kind === 'ACCOUNT')) return 'WRONG_KIND';
  if (nowMs < times.issueTimeMs - maxClockSkewMs) return 'NOT_YET_VALID';
  return nowMs < times.expireTimeMs ? 'VALID' : 'EXPIRED';
}
