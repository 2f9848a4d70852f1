import { type CipherRow, CIPHERS } from '../cipher/cipher-table.ts';
import { NOT_AUTHENTIC } from '../cipher/decoding.ts';
import type { Decryption } from '../cipher/engine.ts';
import { insideOf, type RealmKey } from '../key/realm-key.ts';
import { isWellFormed } from './form.ts';
import { type DecryptedToken, readPlaintext } from './plaintext.ts';

const ROWS: readonly CipherRow[] = Object.values(CIPHERS);

/** One key of a realm, and its version in the realm. */
export interface RealmKeyVersion {
  readonly version: number;
  readonly key: RealmKey;
}

/** Result of trying all keys of a realm on a text. */
export interface TokenDecryption {
  /** True if the text has the form of a token of at least one key's cipher; without keys, of any cipher. */
  readonly wellFormed: boolean;
  /** Content of the token and the newest key version that decrypts it; undefined if none does. */
  readonly decrypted: (DecryptedToken & { readonly keyVersion: number }) | undefined;
  /** Results of the single keys for a well-formed text. For diagnoses only: a verdict never distinguishes them. */
  readonly decryptions: readonly Decryption[];
}

/**
 * Tries every key in the given order, newest first. Goes on after a success, so the time taken does not reveal which key
 * decrypts the token.
 *
 * @throws {TypeError} if `keys` is no array or `token` no string.
 * @throws {KeyDestroyedError} if one of the keys was destroyed.
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
 * Decrypts a token with one key. Checks neither time nor kind, and does not apply {@link assertUser} to the user. Returns
 * undefined for any text that does not decrypt, without a reason.
 *
 * @throws {TypeError} if `token` is no string or `key` no key.
 * @throws {KeyDestroyedError} if the key was destroyed.
 * @example
 * const key = openRealmKey('AES_128_ECB', 'example-16-bytes');
 * const options = { timestampMs: 1_700_000_000_123, unit: 'MILLISECONDS' };
 * const token = encryptToken(key, 'support@kandy.example', 'TO', options);
 * console.log(decryptToken(key, token).user); // sip:support@kandy.example
 * console.log(decryptToken(key, 'no token')); // undefined
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
