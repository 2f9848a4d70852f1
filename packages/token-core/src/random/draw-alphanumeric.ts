import type { RandomSource } from './random-source.ts';

/** The characters of an IV, in the order in which {@link drawAlphanumeric} numbers them. */
export const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const CODES = Buffer.from(ALPHANUMERIC, 'latin1');
/** The largest multiple of 62 in a byte: what lies above is drawn again, or the first characters would come up more often. */
const LIMIT = 256 - (256 % CODES.length);
const MAX_DRAWS = 100;

/**
 * `count` characters of `[A-Za-z0-9]` as bytes, each equally likely: byte `b` of the source gives character `b mod 62`, and
 * bytes of 248 and more are skipped. Throws when the source gives hardly anything else, instead of running for ever.
 */
export function drawAlphanumeric(random: RandomSource, count: number): Uint8Array {
  const drawn = new Uint8Array(count);
  const bytes = new Uint8Array(count + 16);
  let filled = 0;
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    random.fill(bytes);
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      if (byte >= LIMIT) continue;
      drawn[filled++] = CODES[byte % CODES.length] as number;
      if (filled === count) {
        bytes.fill(0);
        return drawn;
      }
    }
  }
  throw new Error('the random source yields no usable bytes');
}
