import type { CipherRow } from '../cipher/cipher-table.ts';
import { MAX_TOKEN_CHARACTERS } from '../cipher/engine.ts';
import { isWellFormed, upperCaseHex } from '../token/form.ts';
import { decryptWithKeys, type RealmKeyVersion, type TokenDecryption } from '../token/decrypt.ts';
import { type Finding, finding } from './findings.ts';

/** A text as a token was meant to be, and what had to be done to it. */
export interface RepairedToken {
  readonly text: string;
  readonly reading: TokenDecryption;
  /** Why `text` differs from what was given; empty when it does not. */
  readonly repairs: readonly Finding[];
}

const INVISIBLE = /[\s\u00ad\u200b-\u200f\u2060\ufeff]/g;
const QUOTES = /^["'`<\u00ab\u2018-\u201f]+|["'`>\u00bb\u2018-\u201f]+$/g;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;

/**
 * Undoes what copying does to tokens (percent-encoding, white space, quotation marks) and, for ciphers with a MAC, lower case.
 * A text that decrypts as it is stays as it is; so does one that none of this makes a token of one of `rows`, which
 * are the ciphers there are. Never throws for a text.
 */
export function repairToken(
  keys: readonly RealmKeyVersion[],
  rows: readonly CipherRow[],
  given: string,
): RepairedToken {
  const reading = decryptWithKeys(keys, given);
  const asGiven = { text: given, reading, repairs: [] };
  if (reading.decrypted !== undefined || given.length > MAX_TOKEN_CHARACTERS) return asGiven;
  const cleaned = cleanText(given);
  if (!rows.some((row) => isWellFormed(row, cleaned.text))) return asGiven;
  const upper = inUpperCase(keys, rows, cleaned.text);
  if (upper === undefined) return { ...cleaned, reading: decryptWithKeys(keys, cleaned.text) };
  return { ...upper, repairs: [...cleaned.repairs, finding('LOWER_CASE_HEX', {})] };
}

function cleanText(given: string): { text: string; repairs: Finding[] } {
  const repairs: Finding[] = [];
  const decoded = given.replace(ESCAPE, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
  if (decoded !== given) repairs.push(finding('URL_ENCODED', {}));
  const dense = decoded.replace(INVISIBLE, '');
  if (dense !== decoded) repairs.push(finding('WHITESPACE', { count: decoded.length - dense.length }));
  const text = dense.replace(QUOTES, '');
  if (text !== dense) repairs.push(finding('QUOTED', {}));
  return { text, repairs };
}

function inUpperCase(
  keys: readonly RealmKeyVersion[],
  rows: readonly CipherRow[],
  text: string,
): { text: string; reading: TokenDecryption } | undefined {
  const row = rows.find((candidate) => candidate.caseMatters && isWellFormed(candidate, text));
  if (row === undefined) return undefined;
  const upper = upperCaseHex(row, text);
  if (upper === text) return undefined;
  const reading = decryptWithKeys(keys, upper);
  return reading.decryptions.some(({ authentic }) => authentic === true)
    ? { text: upper, reading }
    : undefined;
}
