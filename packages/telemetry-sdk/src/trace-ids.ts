import { randomBytes } from 'node:crypto';

const POOL_BYTES = 4096;
const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;

let pool = '';
let spent = 0;

/**
 * Ids for traces and spans (W3C Trace Context), from the system's CSPRNG. A call that is not sampled gets ids too, so they are
 * cut from a pool that is drawn and written in hexadecimal at once.
 */
export const traceIds = {
  generateTraceId: () => draw(TRACE_DIGITS),
  generateSpanId: () => draw(SPAN_DIGITS),
};

function draw(digits: number): string {
  if (spent + digits > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex');
    spent = 0;
  }
  const id = pool.slice(spent, spent + digits);
  spent += digits;
  // An id of zeros alone is not valid.
  return /[1-9a-f]/.test(id) ? id : draw(digits);
}
