import { randomBytes } from 'node:crypto';
import { INVALID_SPANID, INVALID_TRACEID } from '@opentelemetry/api';

const POOL_BYTES = 4096;

let pool = '';
let spent = 0;

/**
 * Ids for traces and spans (W3C Trace Context), from the system's CSPRNG. A call that is not sampled gets ids too, so they are
 * cut from a pool that is drawn and written in hexadecimal at once.
 */
export const traceIds = {
  generateTraceId: () => drawOtherThan(INVALID_TRACEID),
  generateSpanId: () => drawOtherThan(INVALID_SPANID),
};

/** As many digits as the one id that is not valid has, all of them zeros. */
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
