import type { CipherRow } from '../cipher/cipher-table.ts';

/** What stands in front of the user in from and to tokens. */
export const SIP_SCHEME = 'sip:';

/** What a token is for. `FROM` and `TO` look alike: nothing in a token tells them apart. */
export type TokenKind = 'ACCOUNT' | 'FROM' | 'TO';

/** The unit a realm counts time in. */
export type TimestampUnit = 'MILLISECONDS' | 'SECONDS';

/** What a token holds, as it stands in it. */
export interface DecryptedToken {
  /**
   * The user as in the plaintext, with `sip:` if it is there. Made by whoever had the key: it may hold `;` and control
   * characters, so escape it before showing it.
   */
  readonly user: string;
  /** `ADDRESS` (a from or to token) when the user starts with `sip:` in any case, else `ACCOUNT`. */
  readonly kind: 'ACCOUNT' | 'ADDRESS';
  /** The number in the token, in the unit its maker used. */
  readonly timestamp: number;
  /** How many decimal digits `timestamp` was written with. */
  readonly digits: number;
}

const TIMESTAMP = /^(?:0|[1-9][0-9]{0,15})$/;
const SIP_PREFIX = /^sip:/i;

/** The number a token made at `timestampMs` carries. Throws TypeError unless it is a whole number of 0 or more, exact. */
export function timestampIn(unit: TimestampUnit, timestampMs: number): number {
  if (!Number.isSafeInteger(timestampMs) || timestampMs < 0) {
    throw new TypeError('timestampMs is not a whole number of milliseconds');
  }
  return Math.floor(timestampMs / millisecondsPer(unit));
}

/** Milliseconds in one count of the unit. Throws TypeError for a name that is no unit. */
export function millisecondsPer(unit: TimestampUnit): number {
  if (unit === 'MILLISECONDS') return 1;
  if (unit === 'SECONDS') return 1000;
  throw new TypeError('unit is neither MILLISECONDS nor SECONDS');
}

/**
 * Reads a plaintext: split at the last `;`, then a whole decimal number as writers write it (no sign, space or leading
 * zero, at most 16 digits, exact as a number). Returns undefined for anything else.
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
