import { randomBytes } from 'node:crypto';

/** Creates a random key for a test, of `length` bytes. Default: 32. */
export function throwawayKey(length = 32): Uint8Array {
  return randomBytes(length);
}
