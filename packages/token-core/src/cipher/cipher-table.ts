import { createCbcEngine } from './cbc.ts';
import { createEcbEngine } from './ecb.ts';
import { BLOCK_BYTES, type Engine } from './engine.ts';

/** Ciphers of an "Authentication schema" (realm) in the vendor's portal. */
export type Cipher = 'AES_128_ECB' | 'AES_256_CBC_HMAC_SHA256';

/** Parts of a token's text, in their order. */
export type TokenPartName = 'MAC' | 'IV' | 'CIPHERTEXT';

/** One part of a token's text. */
export interface TokenPart {
  readonly name: TokenPartName;
  /** Length in characters; undefined for the ciphertext, which is the rest: whole blocks in hex, at least one. */
  readonly length: number | undefined;
  /** Matches a character that is invalid in this part. */
  readonly unexpected: RegExp;
}

/** Properties of one cipher. Internal functions take a row and never compare cipher names. */
export interface CipherRow {
  readonly cipher: Cipher;
  /** Length of the key's UTF-8 text in bytes. */
  readonly keyBytes: number;
  /** Separator between user and timestamp in the plaintext. */
  readonly separator: string;
  readonly parts: readonly TokenPart[];
  /** True if only upper-case hex is accepted, because a MAC covers the text. */
  readonly caseMatters: boolean;
  readonly createEngine: (key: Uint8Array) => Engine;
}

/** Number of hex digits of one cipher block. */
export const BLOCK_DIGITS = 2 * BLOCK_BYTES;

const NOT_HEX = /[^0-9A-Fa-f]/;
const NOT_ALPHANUMERIC = /[^0-9A-Za-z]/;
const CIPHERTEXT: TokenPart = { name: 'CIPHERTEXT', length: undefined, unexpected: NOT_HEX };

/** All ciphers by name. */
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

/** Looks up a cipher. Throws TypeError for an unknown name. */
export function cipherRow(cipher: Cipher): CipherRow {
  if (!Object.hasOwn(CIPHERS, cipher)) throw new TypeError('cipher is not one of the known ciphers');
  return CIPHERS[cipher];
}
