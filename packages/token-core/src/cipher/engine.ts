import type { RandomSource } from '../random/random-source.ts';

/** AES works on blocks of 16 bytes, whatever the key length (FIPS 197). */
export const BLOCK_BYTES = 16;

/** The longest plaintext that is ever encrypted: `sip:`, a user of 256 bytes, `;x-ts=`, 16 digits, a whole block of padding. */
export const MAX_PLAINTEXT_BYTES = 304;

/** The longest token text that is looked at, in characters; anything longer is malformed. */
export const MAX_TOKEN_CHARACTERS = 4096;

/** What one key made of one well-formed token. Verification reads `plaintext` only; the rest is for operators' diagnoses. */
export interface Decryption {
  /** The text inside, or undefined for whatever reason it could not be read. */
  readonly plaintext: string | undefined;
  /** Whether the token's MAC matches under this key; undefined for a cipher without one. */
  readonly authentic: boolean | undefined;
  /** True when the token's first block alone decrypts to printable ASCII, so the key is right and the end is not. */
  readonly legibleStart: boolean;
}

/** One cipher under one key. Long-lived, single-threaded: every method runs to its end on the engine's own buffers. */
export interface Engine {
  /** Encrypts the texts, at most three and each within {@link MAX_PLAINTEXT_BYTES} with its padding, in order. */
  encrypt(plaintexts: readonly string[], random: RandomSource): string[];
  /** Decrypts a token that is well-formed for this cipher; never throws for one. */
  decrypt(token: string): Decryption;
  /** Wipes buffers and frees cipher contexts; the engine must not be used afterwards. */
  destroy(): void;
}
