import { createCbcEngine } from './cbc.ts';
import { createEcbEngine } from './ecb.ts';
import { BLOCK_BYTES, type Engine } from './engine.ts';

/** The ciphers an "Authentication schema" (realm) of the vendor's portal can have. */
export type Cipher = 'AES_128_ECB' | 'AES_256_CBC_HMAC_SHA256';

/** The parts of a token's text, in the order in which they stand. */
export type TokenPartName = 'MAC' | 'IV' | 'CIPHERTEXT';

/** One part of a token's text. */
export interface TokenPart {
  readonly name: TokenPartName;
  /** Characters, or undefined for the part that takes the rest: whole blocks of two hex digits a byte, at least one. */
  readonly length: number | undefined;
  /** Matches the first character that cannot stand in this part. */
  readonly unexpected: RegExp;
}

/** All that differs between the ciphers. Code below the public functions is handed a row and never asks for the name. */
export interface CipherRow {
  readonly cipher: Cipher;
  /** Bytes of the key's UTF-8 text. */
  readonly keyBytes: number;
  /** Stands between user and timestamp in the plaintext. */
  readonly separator: string;
  readonly parts: readonly TokenPart[];
  /** True when hex must be upper case to be read, because a MAC covers the text. */
  readonly caseMatters: boolean;
  readonly createEngine: (key: Uint8Array) => Engine;
}

/** Hex digits of one cipher block in a token. */
export const BLOCK_DIGITS = 2 * BLOCK_BYTES;

const NOT_HEX = /[^0-9A-Fa-f]/;
const NOT_ALPHANUMERIC = /[^0-9A-Za-z]/;
const CIPHERTEXT: TokenPart = { name: 'CIPHERTEXT', length: undefined, unexpected: NOT_HEX };

/** Every cipher there is, by name. */
export const CIPHERS: Readonly<Record<Cipher, CipherRow>> = Object.freeze({
  AES_128_ECB: {
    cipher: 'AES_128_ECB',
    keyBytes: 16,
    separator: ';',
    parts: [CIPHERTEXT],
    caseMatters: false,
    createEngine: createEcbEngine,
  },
  AES_256_CBC_HMAC_SHA256: {
    cipher: 'AES_256_CBC_HMAC_SHA256',
    keyBytes: 32,
    separator: ';x-ts=',
    parts: [
      { name: 'MAC', length: 64, unexpected: NOT_HEX },
      { name: 'IV', length: BLOCK_BYTES, unexpected: NOT_ALPHANUMERIC },
      CIPHERTEXT,
    ],
    caseMatters: true,
    createEngine: createCbcEngine,
  },
});

/** The row of a cipher. Throws TypeError for a name that is none. */
export function cipherRow(cipher: Cipher): CipherRow {
  if (!Object.hasOwn(CIPHERS, cipher)) throw new TypeError('cipher is not one of the known ciphers');
  return CIPHERS[cipher];
}
