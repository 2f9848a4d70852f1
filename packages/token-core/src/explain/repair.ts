import type { CipherRow } from '../cipher/cipher-table.ts';
import { MAX_TOKEN_CHARACTERS } from '../cipher/engine.ts';
import { isWellFormed, upperCaseHex } from '../token/form.ts';
import { decryptWithKeys, type RealmKeyVersion, type TokenDecryption } from '../token/decrypt.ts';
import { type Finding, finding } from './findings.ts';

/** Repaired text of a token, and the repairs. */
export interface RepairedToken {
  readonly text: string;
  readonly reading: TokenDecryption;
  /** Repairs that were made; empty if `text` is the given text. */
  readonly repairs: readonly Finding[];
}

const INVISIBLE = /[\s\u00ad\u200b-\u200f\u2060\ufeff]/g;
const QUOTES = /^["'`<\u00ab\u2018-\u201f]+|["'`>\u00bb\u2018-\u201f]+$/g;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;

/**
 * Removes percent-encoding, white space and quotation marks, which copying adds to tokens, and for ciphers with a MAC converts
 * hex to upper case. Leaves a text unchanged if it decrypts, or if no repair makes it a token of a cipher in `rows`. Does not
 * throw for a string.
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
