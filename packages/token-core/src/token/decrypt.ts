import { type CipherRow, CIPHERS } from '../cipher/cipher-table.ts';
import { NOT_AUTHENTIC } from '../cipher/decoding.ts';
import type { Decryption } from '../cipher/engine.ts';
import { insideOf, type RealmKey } from '../key/realm-key.ts';
import { isWellFormed } from './form.ts';
import { type DecryptedToken, readPlaintext } from './plaintext.ts';

const ROWS: readonly CipherRow[] = Object.values(CIPHERS);

/** One key of a realm with its number in the realm. */
export interface RealmKeyVersion {
  readonly version: number;
  readonly key: RealmKey;
}

/** What all keys of a realm together made of a text. */
export interface TokenDecryption {
  /** The text has the form of a token of at least one key's cipher; without keys, of any cipher. */
  readonly wellFormed: boolean;
  /** What the token holds and the newest key version that decrypted it; undefined when none did. */
  readonly decrypted: (DecryptedToken & { readonly keyVersion: number }) | undefined;
  /** What each key made of a well-formed text. For diagnoses only: a verdict never tells these apart. */
  readonly decryptions: readonly Decryption[];
}

/**
 * Tries every key, newest first as given, also after one has decrypted the token, so the time taken does not tell which did.
 * Throws TypeError when `keys` or `token` is of the wrong kind, KeyDestroyedError when a key was destroyed.
 */
export function decryptWithKeys(keys: readonly RealmKeyVersion[], token: string): TokenDecryption {
  if (!Array.isArray(keys)) throw new TypeError('keys is not an array');
  assertText(token);
  let decrypted: TokenDecryption['decrypted'];
  const decryptions: Decryption[] = [];
  for (const { version, key } of keys as readonly RealmKeyVersion[]) {
    const { row, engine } = insideOf(key);
    if (!isWellFormed(row, token)) continue;
    const decryption = engine.decrypt(token);
    decryptions.push(decryption);
    const content = contentOf(row, decryption);
    if (content !== undefined && decrypted === undefined) decrypted = { ...content, keyVersion: version };
  }
  const wellFormed =
    keys.length === 0 ? ROWS.some((row) => isWellFormed(row, token)) : decryptions.length > 0;
  return { wellFormed, decrypted, decryptions };
}

/**
 * Decrypts a token under one key, whenever it was made and whatever it is for. Returns undefined for any text that does not
 * decrypt, without saying why. The user is not held to the rules for encrypting. Throws TypeError when `token` is no string or
 * `key` no key, and KeyDestroyedError.
 */
export function decryptToken(key: RealmKey, token: string): DecryptedToken | undefined {
  assertText(token);
  const { row, engine } = insideOf(key);
  return contentOf(row, isWellFormed(row, token) ? engine.decrypt(token) : NOT_AUTHENTIC);
}

function contentOf(row: CipherRow, decryption: Decryption): DecryptedToken | undefined {
  return decryption.plaintext === undefined ? undefined : readPlaintext(row, decryption.plaintext);
}

function assertText(token: string): void {
  if (typeof token !== 'string') throw new TypeError('token is not a string');
}
