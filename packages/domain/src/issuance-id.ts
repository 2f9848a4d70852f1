import { v7 } from 'uuid';

const RANDOM_BYTES = 16;
/** A UUIDv7 has 48 bits for its time: until the year 10889. */
const MAX_TIME_MS = 2 ** 48 - 1;

/**
 * The id of an issue: a UUIDv7 (RFC 9562, section 5.7), so that ids sort by time to the millisecond.
 *
 * @param random16 16 bytes of a CSPRNG, never used twice. Throws TypeError for another number of bytes, and for a time
 * that is no whole number from 0 to 2^48 - 1.
 */
export function newIssuanceId(nowMs: number, random16: Uint8Array): string {
  if (random16.length !== RANDOM_BYTES)
    throw new TypeError(`an issuance id needs ${RANDOM_BYTES} random bytes`);
  if (!Number.isInteger(nowMs) || nowMs < 0 || nowMs > MAX_TIME_MS) {
    throw new TypeError('an issuance id needs a time in whole milliseconds since the epoch');
  }
  return v7({ msecs: nowMs, random: random16 });
}
