import type { RandomSource } from '../random/random-source.ts';

/** Block length of AES in bytes, the same for all key lengths (FIPS 197). */
export const BLOCK_BYTES = 16;

/** Length of the longest plaintext: `sip:`, a user of 256 bytes, `;x-ts=`, 16 digits, a whole block of padding. */
export const MAX_PLAINTEXT_BYTES = 304;

/** Length of the longest token that is read, in characters; anything longer is malformed. */
export const MAX_TOKEN_CHARACTERS = 4096;

/** Result of decrypting one well-formed token with one key. Verification reads `plaintext` only, diagnosis the rest too. */
export interface Decryption {
  /** The plaintext, or undefined if it could not be read for any reason. */
  readonly plaintext: string | undefined;
  /** True if the token's MAC matches under this key; undefined for a cipher without one. */
  readonly authentic: boolean | undefined;
  /** True if the first block decrypts to printable ASCII: the key is then right and the end of the token is damaged. */
  readonly legibleStart: boolean;
}

/** One cipher with one key. Long-lived and single-threaded: every method runs to its end, and leaves no plaintext in a buffer. */
export interface Engine {
  /** Encrypts texts, each within {@link MAX_PLAINTEXT_BYTES} with its padding. Keeps their order. */
  encrypt(plaintexts: readonly string[], random: RandomSource): string[];
  /** Decrypts a token that is well-formed for this cipher. Does not throw. */
  decrypt(token: string): Decryption;
  /** Overwrites the buffers and frees the cipher contexts. The engine must not be used afterwards. */
  destroy(): void;
}
