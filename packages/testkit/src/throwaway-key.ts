import { randomBytes } from 'node:crypto';

/** A key that nobody else has and that is worth nothing: `length` random bytes, 32 unless told otherwise. */
export function throwawayKey(length = 32): Uint8Array {
  return randomBytes(length);
}
