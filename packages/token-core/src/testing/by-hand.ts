import { createCipheriv, createHmac } from 'node:crypto';
import type { Cipher } from '../cipher/cipher-table.ts';
import { ALPHANUMERIC } from '../random/draw-alphanumeric.ts';
import type { RandomSource } from '../random/random-source.ts';

// The formats written a second time, plainly, so that tests do not check the package by itself. Keys are made up.

export const KEYS: Readonly<Record<Cipher, string>> = {
  AES_128_ECB: 'test-key-16-byte',
  AES_256_CBC_HMAC_SHA256: 'test-key-of-exactly-32-letters!!',
};

export const IV = 'AbCdEfGh12345678';

/** Any plaintext as an ECB token. */
export function ecbByHand(key: string, plaintext: string | Uint8Array): string {
  const cipher = createCipheriv('aes-128-ecb', key, null);
  return Buffer.concat([cipher.update(plaintext), cipher.final()])
    .toString('hex')
    .toUpperCase();
}

/** Any whole blocks as an ECB token, without padding being added. */
export function ecbBlocksByHand(key: string, blocks: Uint8Array): string {
  return createCipheriv('aes-128-ecb', key, null)
    .setAutoPadding(false)
    .update(blocks)
    .toString('hex')
    .toUpperCase();
}

/** Any plaintext, or any whole blocks without padding being added, as a CBC token. */
export function cbcByHand(
  key: string,
  plaintext: string | Uint8Array,
  { iv = IV, pad = true }: { iv?: string; pad?: boolean } = {},
): string {
  const cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(pad);
  const bytes = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return signedByHand(key, iv + bytes.toString('hex').toUpperCase());
}

/** A text with the MAC over it in front. */
export function signedByHand(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex').toUpperCase() + text;
}

/** A source under which every IV drawn is `iv`. */
export function randomForIv(iv: string): RandomSource {
  return {
    fill(bytes) {
      for (let i = 0; i < bytes.length; i++) bytes[i] = ALPHANUMERIC.indexOf(iv.charAt(i % iv.length));
    },
  };
}
