import { type Cipher, cipherRow } from '../cipher/cipher-table.ts';
import { drawAlphanumeric } from '../random/draw-alphanumeric.ts';
import { type RandomSource, systemRandom } from '../random/random-source.ts';

/** How many bytes a key of this cipher has. Throws TypeError for a name that is none. */
export function keyBytesOf(cipher: Cipher): number {
  return cipherRow(cipher).keyBytes;
}

/**
 * A new key for a cipher: letters and digits only, since it must be typed into the vendor's portal. 16 characters hold 95
 * bits of randomness, 32 hold 190.
 */
export function generateKeyText(cipher: Cipher, random: RandomSource = systemRandom): string {
  const characters = drawAlphanumeric(random, keyBytesOf(cipher));
  const text = String.fromCharCode(...characters);
  characters.fill(0);
  return text;
}
