import { randomFillSync } from 'node:crypto';

/** Source of random bytes. An argument of encryption, so that tests get reproducible tokens. */
export interface RandomSource {
  /** Fills all of `bytes` with unpredictable bytes. Throws if it cannot. */
  fill(bytes: Uint8Array): void;
}

const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let spent = POOL_BYTES;

/**
 * Random source of Node's `crypto`. Requests up to 4096 bytes are served from a pool, because a call of the generator costs
 * more than the bytes. A byte is overwritten in the pool when it is handed out, so it is never used twice.
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
