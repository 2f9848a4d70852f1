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

/**
 * The coarsest unit in which a token and its entry hold the time of issue, in milliseconds: some realms count whole seconds. The
 * issuance id has the millisecond.
 */
export const COARSEST_TIME_UNIT_MS = 1000;

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** The time of an issuance id, in milliseconds since the epoch; `undefined` for a text that is no UUIDv7. */
export function issuanceTimeMs(id: string): number | undefined {
  return UUID_V7.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : undefined;
}
