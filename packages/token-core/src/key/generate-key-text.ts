import { type Cipher, cipherRow } from '../cipher/cipher-table.ts';
import { drawAlphanumeric } from '../random/draw-alphanumeric.ts';
import { type RandomSource, systemRandom } from '../random/random-source.ts';

/**
 * Length of a key of this cipher, in bytes of UTF-8.
 *
 * @throws {TypeError} for an unknown cipher.
 * @example
 * console.log(keyBytesOf('AES_128_ECB')); // 16
 */
export function keyBytesOf(cipher: Cipher): number {
  return cipherRow(cipher).keyBytes;
}

/**
 * Generates a key for a cipher. It has letters and digits only, since it must be typed into the vendor's portal: 16
 * characters have 95 bits of entropy, 32 have 190.
 *
 * @throws {TypeError} for an unknown cipher.
 * @example
 * console.log(generateKeyText('AES_256_CBC_HMAC_SHA256').length); // 32
 */
export function generateKeyText(cipher: Cipher, random: RandomSource = systemRandom): string {
  const characters = drawAlphanumeric(random, keyBytesOf(cipher));
  const text = String.fromCharCode(...characters);
  characters.fill(0);
  return text;
}
