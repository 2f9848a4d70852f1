import { millisecondsPer, type DecryptedToken, type TimestampUnit, type TokenKind } from './plaintext.ts';
import { type RealmKeyVersion, decryptWithKeys } from './decrypt.ts';
import { assertKind } from './encrypt.ts';

/**
 * Result of verifying a token. `NOT_ISSUED_HERE` and `FROZEN` depend on a ledger and on freezes: this package never returns
 * them, the service adds them.
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

/** Rules of a realm, and the time of the check. */
export interface VerificationRules {
  /** The portal's "Duration to Expire Authentication", in milliseconds, more than 0. */
  readonly lifetimeMs: number;
  /** Tolerance for an issuer's clock that is ahead, in milliseconds, 0 or more. */
  readonly maxClockSkewMs: number;
  /** Unit of the realm's timestamps. */
  readonly unit: TimestampUnit;
  /** Time of the check, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** Expected kind of the token. Undefined: the kind is not checked. */
  readonly kind?: TokenKind | undefined;
}

/** Verdict on one token, and its content. Has only the verdict if no key decrypts the token. */
export interface TokenVerification {
  readonly verdict: Verdict;
  /** The user as in the plaintext, with `sip:` if it is there; escape before showing, see {@link DecryptedToken.user}. */
  readonly user?: string;
  /** Time of issue, in milliseconds since the epoch. Absent for `WRONG_TIME_UNIT`, where the unit would be a guess. */
  readonly issueTimeMs?: number;
  /** `issueTimeMs + lifetimeMs`; at this time the token is expired. */
  readonly expireTimeMs?: number;
  /** Newest key version that decrypts the token. */
  readonly keyVersion?: number;
}

/** Smallest timestamp that is read as milliseconds (March 1973). Smaller ones are seconds (until the year 5138). */
export const FIRST_MILLISECONDS = 1e11;

/**
 * Verifies one token of a realm. `keys` are all keys of the realm that are still accepted, newest first.
 *
 * Returns the first verdict that applies, in this order: `MALFORMED` (form), `UNDECIPHERABLE` (wrong key, bad MAC, bad padding
 * or no timestamp: one code path and one answer), `WRONG_TIME_UNIT`, `WRONG_KIND`, `NOT_YET_VALID`, `EXPIRED`, `VALID`. A
 * token is valid while `issueTime - maxClockSkew <= now < issueTime + lifetime`. Any string gets a verdict.
 *
 * `VALID` does not mean that the token was issued here: ECB tokens can be spliced, see the README.
 *
 * @throws {TypeError} if an argument has the wrong type or a rule is out of range.
 * @throws {KeyDestroyedError} if one of the keys was destroyed.
 * @example
 * const key = openRealmKey('AES_128_ECB', 'example-16-bytes');
 * const timestampMs = 1_700_000_000_123;
 * const token = encryptToken(key, 'support@kandy.example', 'TO', { timestampMs, unit: 'MILLISECONDS' });
 * const rules = { lifetimeMs: 600_000, maxClockSkewMs: 30_000, unit: 'MILLISECONDS' };
 * const keys = [{ version: 1, key }];
 * console.log(verifyToken(keys, token, { ...rules, nowMs: timestampMs }).verdict); // VALID
 * console.log(verifyToken(keys, token, { ...rules, nowMs: timestampMs + 600_000 }).verdict); // EXPIRED
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

/** Start and end of a token's validity, in milliseconds since the epoch. */
export interface TokenTimes {
  readonly issueTimeMs: number;
  readonly expireTimeMs: number;
}

/** Computes the times of a token with this `timestamp`, counted in `unit`. */
export function timesOf(
  timestamp: number,
  { unit, lifetimeMs }: Pick<VerificationRules, 'unit' | 'lifetimeMs'>,
): TokenTimes {
  const issueTimeMs = timestamp * millisecondsPer(unit);
  return { issueTimeMs, expireTimeMs: issueTimeMs + lifetimeMs };
}

/** Tells if the size of the token's timestamp fits the other unit. */
export function hasWrongUnit(decrypted: DecryptedToken, unit: TimestampUnit): boolean {
  return decrypted.timestamp >= FIRST_MILLISECONDS !== (unit === 'MILLISECONDS');
}

/** Throws TypeError for rules that are out of range. */
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
