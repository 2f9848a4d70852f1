import type { CipherRow } from '../cipher/cipher-table.ts';

/** Scheme in front of the user in from and to tokens. */
export const SIP_SCHEME = 'sip:';

/** Kind of a token by its use in a call. Nothing in a token distinguishes `FROM` from `TO`. */
export type TokenKind = 'ACCOUNT' | 'FROM' | 'TO';

/** Unit of a realm's timestamps. */
export type TimestampUnit = 'MILLISECONDS' | 'SECONDS';

/** Content of a token, unchanged. */
export interface DecryptedToken {
  /**
   * The user as in the plaintext, with `sip:` if it is there. Whoever had the key chose it: it may contain `;` and control
   * characters, so escape it before showing it.
   */
  readonly user: string;
  /** `ADDRESS` (a from or to token) when the user starts with `sip:` in any case, else `ACCOUNT`. */
  readonly kind: 'ACCOUNT' | 'ADDRESS';
  /** The number in the token, in the unit that its issuer used. */
  readonly timestamp: number;
  /** Number of decimal digits of `timestamp` in the token. */
  readonly digits: number;
}

const TIMESTAMP = /^(?:0|[1-9][0-9]{0,15})$/;
const SIP_PREFIX = /^sip:/i;

/** Converts the time of issue to a timestamp, rounded down. Throws TypeError unless it is a safe integer of 0 or more. */
export function timestampIn(unit: TimestampUnit, timestampMs: number): number {
  if (!Number.isSafeInteger(timestampMs) || timestampMs < 0) {
    throw new TypeError('timestampMs is not a whole number of milliseconds');
  }
  return Math.floor(timestampMs / millisecondsPer(unit));
}

/** Milliseconds of one unit. Throws TypeError for an unknown unit. */
export function millisecondsPer(unit: TimestampUnit): number {
  if (unit === 'MILLISECONDS') return 1;
  if (unit === 'SECONDS') return 1000;
  throw new TypeError('unit is neither MILLISECONDS nor SECONDS');
}

/**
 * Parses a plaintext: everything before the last `;` is the user, then follows a decimal integer (no sign, space or leading
 * zero, at most 16 digits, a safe integer). Returns undefined for anything else.
 */
export function readPlaintext(row: CipherRow, plaintext: string): DecryptedToken | undefined {
  const end = plaintext.lastIndexOf(';');
  if (end < 1 || !plaintext.startsWith(row.separator, end)) return undefined;
  const digits = plaintext.slice(end + row.separator.length);
  const timestamp = Number(digits);
  if (!TIMESTAMP.test(digits) || !Number.isSafeInteger(timestamp)) return undefined;
  const user = plaintext.slice(0, end);
  return { user, kind: SIP_PREFIX.test(user) ? 'ADDRESS' : 'ACCOUNT', timestamp, digits: digits.length };
}

/** The user without one leading `sip:`. */
export function withoutSip(user: string): string {
  return user.replace(SIP_PREFIX, '');
}
