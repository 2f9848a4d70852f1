import { randomBytes } from 'node:crypto';
import { INVALID_SPANID, INVALID_TRACEID } from '@opentelemetry/api';

const POOL_BYTES = 4096;

let pool = '';
let spent = 0;

/**
 * Generator of trace and span ids (W3C Trace Context) from the system's CSPRNG. Unsampled calls need ids too, so they are cut
 * from a pool that is drawn and converted to hexadecimal at once.
 */
export const traceIds = {
  generateTraceId: () => drawOtherThan(INVALID_TRACEID),
  generateSpanId: () => drawOtherThan(INVALID_SPANID),
};

/** Draws an id with the length of the invalid id, which is all zeros, and different from it. */
function drawOtherThan(invalid: string): string {
  const digits = invalid.length;
  if (spent + digits > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex');
    spent = 0;
  }
  const id = pool.slice(spent, spent + digits);
  spent += digits;
  return id === invalid ? drawOtherThan(invalid) : id;
}
