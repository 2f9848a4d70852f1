import type { RandomSource } from './random-source.ts';

/** Characters of an IV, in the order in which {@link drawAlphanumeric} numbers them. */
export const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const CODES = Buffer.from(ALPHANUMERIC, 'latin1');
/** Largest multiple of 62 in a byte. Larger bytes are drawn again, or the first characters would be more frequent. */
const LIMIT = 256 - (256 % CODES.length);
/** Bytes that are drawn in place of those that are skipped. */
const SPARE = 16;
const MAX_DRAWS = 100;

/**
 * Draws `count` characters of `[A-Za-z0-9]` as bytes, uniformly distributed: byte `b` of the source selects character
 * `b mod 62`, and bytes of 248 and more are skipped. Throws if the source yields hardly any other bytes.
 */
export function drawAlphanumeric(random: RandomSource, count: number): Uint8Array {
  const drawn = new Uint8Array(count);
  const pool = new Uint8Array(count + SPARE);
  let filled = 0;
  for (let draw = 0; filled < count; draw++) {
    if (draw === MAX_DRAWS) throw new Error('the random source yields no usable bytes');
    const bytes = pool.subarray(0, count - filled + SPARE);
    random.fill(bytes);
    for (let i = 0; i < bytes.length && filled < count; i++) {
      const byte = bytes[i] as number;
      if (byte < LIMIT) drawn[filled++] = CODES[byte % CODES.length] as number;
    }
  }
  pool.fill(0);
  return drawn;
}
