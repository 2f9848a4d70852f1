import type { Cipher, TokenPartName } from '../cipher/cipher-table.ts';
import { durationText } from './duration-text.ts';

/** What each finding says in numbers, by its code. A code keeps its meaning for ever and is never used again. */
export interface FindingDetails {
  /** Characters of an address bar: `%2F` for `/`. */
  URL_ENCODED: object;
  /** Quotation marks or angle brackets around the token. */
  QUOTED: object;
  /** White space or invisible characters, which the token reads well without. */
  WHITESPACE: { /** How many. */ readonly count: number };
  /** Hex of a token with a MAC in lower case; it verifies in upper case. */
  LOWER_CASE_HEX: object;
  /** The text is a token of a cipher that the realm has no key for. */
  OTHER_CIPHER_FORM: { /** The cipher it looks like. */ readonly cipher: Cipher };
  /** Not the length of a token. */
  BAD_LENGTH: { /** Characters found. */ readonly length: number };
  /** A character that cannot stand where it does. */
  NOT_HEX: { /** Its place, counted from 0. */ readonly position: number; readonly part: TokenPartName };
  /** The realm has no key that still counts. */
  NO_KEY: object;
  /** The MAC matches under no key: another key, or a changed text. */
  MAC_MISMATCH: object;
  /** No key decrypts the token, which has no MAC to say more. */
  WRONG_KEY_OR_DAMAGED: object;
  /** The first block decrypts to text, the end does not. */
  TRUNCATED: object;
  /** It decrypts, and holds no user with a timestamp in the form of its cipher. */
  NO_TIMESTAMP: object;
  /** Decrypted by a key version that is not the newest. */
  OLDER_KEY: { readonly keyVersion: number; readonly newestVersion: number };
  /** A number of seconds in a realm of milliseconds. */
  SECONDS_FOR_MILLISECONDS: { /** Decimal digits. */ readonly digits: number };
  /** A number of milliseconds in a realm of seconds. */
  MILLISECONDS_FOR_SECONDS: { /** Decimal digits. */ readonly digits: number };
  /** A from or to token whose user has no `sip:`. */
  MISSING_SIP: object;
  /** An account token whose user has `sip:`. */
  EXTRA_SIP: object;
  /** `sip:sip:` in front of the user. */
  DOUBLE_SIP: object;
  /** Made longer ago than the realm's lifetime. */
  EXPIRED_BY: { /** From the end of its life to now. */ readonly expiredByMs: number };
  /** Made in the future by this clock, by more than the realm allows. */
  NOT_YET_VALID_BY: {
    /** From now to the issue time: the least by which the maker's clock is ahead. */
    readonly earlyByMs: number;
    /** From now to the moment it becomes valid, the allowed skew counted in. */
    readonly validInMs: number;
  };
}

/** The name of a finding, stable for machines. */
export type FindingCode = keyof FindingDetails;

/** One thing found out about a token. `text` is for people and free to change; it holds no part of key, token or user. */
export type Finding = {
  [C in FindingCode]: { readonly code: C; readonly text: string } & Readonly<FindingDetails[C]>;
}[FindingCode];

const TEXTS: { readonly [C in FindingCode]: (details: FindingDetails[C]) => string } = {
  URL_ENCODED: () => 'the token is percent-encoded; decode it once before use',
  QUOTED: () => 'the token stands in quotation marks; leave them out',
  WHITESPACE: ({ count }) => `the token holds white space or invisible characters (${count}); remove them`,
  LOWER_CASE_HEX: () =>
    'the hex is lower case, and its MAC covers upper case; whoever wrote the token must write upper case',
  OTHER_CIPHER_FORM: ({ cipher }) =>
    `this looks like a token of ${cipher}, which is not the cipher of the realm`,
  BAD_LENGTH: ({ length }) => `${length} characters is not the length of a token; a part may be missing`,
  NOT_HEX: ({ position, part }) =>
    part === 'IV'
      ? `character ${position} (counted from 0) is neither letter nor digit, as the IV needs`
      : `character ${position} (counted from 0) is not a hex digit`,
  NO_KEY: () => 'the realm has no key to decrypt a token with',
  MAC_MISMATCH: () => 'the MAC does not match: made with another key, or changed on the way',
  WRONG_KEY_OR_DAMAGED: () => 'no key of the realm decrypts it: made with another key, or damaged on the way',
  TRUNCATED: () => 'the key is right, but the end of the token is missing or damaged',
  NO_TIMESTAMP: () =>
    'it decrypts, but does not hold a user followed by a timestamp as this cipher writes it',
  OLDER_KEY: ({ keyVersion, newestVersion }) =>
    `made with key version ${keyVersion}; the newest is ${newestVersion}, so its maker still has the old key`,
  SECONDS_FOR_MILLISECONDS: ({ digits }) =>
    `the timestamp has ${digits} digits: seconds, where the realm counts milliseconds`,
  MILLISECONDS_FOR_SECONDS: ({ digits }) =>
    `the timestamp has ${digits} digits: milliseconds, where the realm counts seconds`,
  MISSING_SIP: () => 'a from or to token needs sip: in front of the user; this reads like an account token',
  EXTRA_SIP: () => 'an account token has no sip: in front of the user; this reads like a from or to token',
  DOUBLE_SIP: () => 'sip: stands twice in front of the user; its maker added it to a user that had it',
  EXPIRED_BY: ({ expiredByMs }) => `expired ${durationText(expiredByMs)} ago`,
  NOT_YET_VALID_BY: ({ earlyByMs, validInMs }) =>
    `made ${durationText(earlyByMs)} in the future: the clock of its maker is ahead, or ours behind, by at least that; ` +
    `valid in ${durationText(validInMs)}`,
};

/** Makes a finding with its text. */
export function finding<C extends FindingCode>(code: C, details: FindingDetails[C]): Finding {
  return { code, text: TEXTS[code](details), ...details } as unknown as Finding;
}
