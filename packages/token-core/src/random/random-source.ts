import { randomFillSync } from 'node:crypto';

/** Where random bytes come from. Encryption takes one as an argument, so that tests can repeat a token to the letter. */
export interface RandomSource {
  /** Overwrites all of `bytes` with bytes that nobody can foretell. Throws when it cannot. */
  fill(bytes: Uint8Array): void;
}

const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let spent = POOL_BYTES;

/**
 * The operating system's generator by way of OpenSSL. Small requests are served from a pool, because a call into the
 * generator costs more than the bytes; a byte is wiped from the pool as it is handed out and never given twice.
 */
export const systemRandom: RandomSource = Object.freeze({
  fill(bytes: Uint8Array): void {
    if (bytes.length > POOL_BYTES) {
      randomFillSync(bytes);
      return;
    }
    if (spent + bytes.length > POOL_BYTES) {
      randomFillSync(pool);
      spent = 0;
    }
    bytes.set(pool.subarray(spent, spent + bytes.length));
    pool.fill(0, spent, spent + bytes.length);
    spent += bytes.length;
  },
});
