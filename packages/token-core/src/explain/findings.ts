import type { Cipher, TokenPartName } from '../cipher/cipher-table.ts';

/** Details of each finding by its code. A code keeps its meaning and is never reused. */
export interface FindingDetails {
  /** Percent-encoding, as in `%2F` for `/`. */
  URL_ENCODED: object;
  /** Quotation marks or angle brackets around the token. */
  QUOTED: object;
  /** White space or invisible characters, which do not belong to the token. */
  WHITESPACE: { /** Number of such characters. */ readonly count: number };
  /** Lower-case hex in a token with a MAC. The token verifies in upper case. */
  LOWER_CASE_HEX: object;
  /** Token of a cipher for which the realm has no key. */
  OTHER_CIPHER_FORM: { /** Cipher that has this form. */ readonly cipher: Cipher };
  /** Length that no token has. */
  BAD_LENGTH: { /** Length in characters. */ readonly length: number };
  /** Invalid character. */
  NOT_HEX: { /** Position, counted from 0. */ readonly position: number; readonly part: TokenPartName };
  /** No key: the realm has none that is still accepted. */
  NO_KEY: object;
  /** MAC that matches with no key: made with another key, or changed. */
  MAC_MISMATCH: object;
  /** Token without a MAC that no key decrypts: made with another key, or damaged. */
  WRONG_KEY_OR_DAMAGED: object;
  /** Token whose first block decrypts to text and whose end does not. */
  TRUNCATED: object;
  /** Plaintext that is not a user with a timestamp in the form of the cipher. */
  NO_TIMESTAMP: object;
  /** Token of a key version that is not the newest. */
  OLDER_KEY: { readonly keyVersion: number; readonly newestVersion: number };
  /** Timestamp in seconds in a realm that counts milliseconds. */
  SECONDS_FOR_MILLISECONDS: { /** Number of decimal digits. */ readonly digits: number };
  /** Timestamp in milliseconds in a realm that counts seconds. */
  MILLISECONDS_FOR_SECONDS: { /** Number of decimal digits. */ readonly digits: number };
  /** From or to token without `sip:` in front of the user. */
  MISSING_SIP: object;
  /** Account token with `sip:` in front of the user. */
  EXTRA_SIP: object;
  /** `sip:sip:` in front of the user. */
  DOUBLE_SIP: object;
  /** Token that is older than the realm's token lifetime. */
  EXPIRED_BY: { /** Time since its end of validity, in milliseconds. */ readonly expiredByMs: number };
  /** Token from the future, by more than the realm's clock skew. */
  NOT_YET_VALID_BY: {
    /** Time until the time of issue, in milliseconds: the issuer's clock is ahead by at least that. */
    readonly earlyByMs: number;
    /** Time until the token is valid, with the allowed clock skew, in milliseconds. */
    readonly validInMs: number;
  };
}

/** Code of a finding, stable for programs. */
export type FindingCode = keyof FindingDetails;

/** One finding about a token. `text` is for people and may change; it contains no part of a key, token or user. */
export type Finding = {
  [C in FindingCode]: { readonly code: C; readonly text: string } & Readonly<FindingDetails[C]>;
}[FindingCode];

const TEXTS: { readonly [C in FindingCode]: (details: FindingDetails[C]) => string } = {
  URL_ENCODED: () => 'the token is percent-encoded; decode it once before use',
  QUOTED: () => 'the token is in quotation marks; remove them',
  WHITESPACE: ({ count }) => `the token contains white space or invisible characters (${count}); remove them`,
  LOWER_CASE_HEX: () =>
    'the hex is lower case, but the MAC covers upper case; the issuer must write upper case',
  OTHER_CIPHER_FORM: ({ cipher }) =>
    `this has the form of a token of ${cipher}, which is not the cipher of the realm; check the realm`,
  BAD_LENGTH: ({ length }) => `${length} characters is not the length of a token; part of it may be missing`,
  NOT_HEX: ({ position, part }) =>
    part === 'IV'
      ? `character ${position} (counted from 0) is neither a letter nor a digit, so it cannot be in an IV`
      : `character ${position} (counted from 0) is not a hex digit`,
  NO_KEY: () => 'the realm has no key to decrypt tokens with',
  MAC_MISMATCH: () => 'the MAC does not match: the token was made with another key, or changed in transit',
  WRONG_KEY_OR_DAMAGED: () =>
    'no key of the realm decrypts the token: it was made with another key, or damaged in transit',
  TRUNCATED: () => 'the key is right, but the end of the token is missing or damaged',
  NO_TIMESTAMP: () =>
    'the token decrypts, but does not contain a user and a timestamp in the form of this cipher',
  OLDER_KEY: ({ keyVersion, newestVersion }) =>
    `made with key version ${keyVersion}; the newest is ${newestVersion}, so its issuer still has the old key`,
  SECONDS_FOR_MILLISECONDS: ({ digits }) =>
    `the timestamp has ${digits} digits: it counts seconds, but the realm counts milliseconds`,
  MILLISECONDS_FOR_SECONDS: ({ digits }) =>
    `the timestamp has ${digits} digits: it counts milliseconds, but the realm counts seconds`,
  MISSING_SIP: () => 'a from or to token needs sip: in front of the user; this looks like an account token',
  EXTRA_SIP: () => 'an account token has no sip: in front of the user; this looks like a from or to token',
  DOUBLE_SIP: () => 'sip: is in front of the user twice; the issuer added it to a user that already had it',
  EXPIRED_BY: ({ expiredByMs }) => `expired ${durationText(expiredByMs)} ago`,
  NOT_YET_VALID_BY: ({ earlyByMs, validInMs }) =>
    `made ${durationText(earlyByMs)} in the future: the clock of the issuer is ahead, or ours behind, by at least that; ` +
    `valid in ${durationText(validInMs)}`,
};

/** Creates a finding with its text. */
export function finding<C extends FindingCode>(code: C, details: FindingDetails[C]): Finding {
  return { code, text: TEXTS[code](details), ...details } as unknown as Finding;
}

const UNITS = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1000 },
  { name: 'ms', ms: 1 },
];

/** Formats a duration for people, in its two largest units and rounded down: `3 min 5 s`. At least 0 ms. */
export function durationText(durationMs: number): string {
  const first = UNITS.findIndex(({ ms }) => durationMs >= ms);
  if (first < 0) return '0 ms';
  let rest = Math.floor(durationMs);
  const words: string[] = [];
  for (const { name, ms } of UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / ms);
    rest -= count * ms;
    if (count > 0) words.push(`${count} ${name}`);
  }
  return words.join(' ');
}
