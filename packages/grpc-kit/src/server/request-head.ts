import { LONGEST_TIMEOUT_MS } from '../longest-timeout.ts';
import type { CallHead } from './screen-calls.ts';

/** Bounds on the headers of a call, which are in memory before the caller is known. */
export interface HeadBounds {
  /** Size of all headers as HTTP/2 counts it: name, value and 32 bytes for each (RFC 9113, section 6.5.2). */
  readonly maxBytes: number;
  /** Headers, those of HTTP/2 itself among them. */
  readonly maxHeaders: number;
  /** Values of all binary headers (`-bin`) together. A comma separates two; grpc-js makes a buffer of each. */
  readonly maxBinaryValues: number;
}

/** A fault of a call's head, for which the call is refused. */
export type HeadFault = 'not_grpc' | 'headers_too_large' | 'timeout_invalid' | 'compressed';

/** Bytes that HTTP/2 counts for a header besides its name and value (RFC 9113, section 6.5.2). */
export const HEADER_OVERHEAD_BYTES = 32;

/** The credential of a call (RFC 9110, section 11.6.2). */
const CREDENTIAL = 'authorization';
const METHOD = ':method';
const CONTENT_TYPE = 'content-type';
const GRPC_CONTENT_TYPE = 'application/grpc';
const TIMEOUT = 'grpc-timeout';
const ENCODING = 'grpc-encoding';

/** Keys and values that metadata may hold (gRPC over HTTP/2, "Custom-Metadata"). */
const METADATA_KEY = /^[:0-9a-z_.-]+$/;
const METADATA_VALUE = /^[ -~]*$/;

/** `TimeoutValue TimeoutUnit` of gRPC over HTTP/2. */
const TIMEOUT_FORM = /^(\d{1,8})([HMSmun])$/;
const UNIT_SECONDS: Readonly<Record<string, number>> = { H: 3600, M: 60, S: 1, m: 1e-3, u: 1e-6, n: 1e-9 };
const MAX_TIMEOUT_SECONDS = LONGEST_TIMEOUT_MS / 1000;

/**
 * Checks the head of a call against its bounds, and prepares `headers` for grpc-js:
 *
 * - A header that metadata cannot hold is removed. grpc-js would remove it too, and print it.
 * - A credential that metadata cannot hold, or that is sent twice, is emptied instead. It was presented, so it must not pass
 *   for a call without credential. So are a time limit and an encoding that metadata cannot hold, which are faults.
 * - A time limit that no timer can hold becomes the longest possible one.
 *
 * Returns the size of the head in bytes as HTTP/2 counts it, or the fault.
 */
export function checkHead({ headers, rawHeaders }: CallHead, bounds: HeadBounds): number | HeadFault {
  if (rawHeaders.length > 2 * bounds.maxHeaders) return 'headers_too_large';
  let bytes = 0;
  let binaryValues = 0;
  let credentials = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const value = rawHeaders[at + 1] as string;
    bytes += name.length + value.length + HEADER_OVERHEAD_BYTES;
    if (bytes > bounds.maxBytes) return 'headers_too_large';
    if (name.endsWith('-bin')) {
      binaryValues += countValues(value, bounds.maxBinaryValues);
      if (binaryValues > bounds.maxBinaryValues) return 'headers_too_large';
      if (!METADATA_KEY.test(name)) delete headers[name];
    } else if (name === CREDENTIAL) {
      credentials++;
      if (credentials > 1 || !METADATA_VALUE.test(value) || value !== value.trim()) headers[name] = '';
    } else if (!METADATA_VALUE.test(value) || !METADATA_KEY.test(name)) {
      if (name === TIMEOUT || name === ENCODING) headers[name] = '';
      else delete headers[name];
    }
  }
  const contentType = headers[CONTENT_TYPE];
  if (headers[METHOD] !== 'POST' || !contentType?.startsWith(GRPC_CONTENT_TYPE)) return 'not_grpc';
  const encoding = headers[ENCODING];
  if (encoding !== undefined && encoding !== 'identity') return 'compressed';
  const timeout = headers[TIMEOUT];
  if (timeout !== undefined) {
    const [, amount, unit] = TIMEOUT_FORM.exec(String(timeout)) ?? [];
    if (amount === undefined || unit === undefined) return 'timeout_invalid';
    if (Number(amount) * (UNIT_SECONDS[unit] as number) > MAX_TIMEOUT_SECONDS)
      headers[TIMEOUT] = `${MAX_TIMEOUT_SECONDS}S`;
  }
  return bytes;
}

/** Counts the values of a binary header, up to one more than `max`: a stranger's header is not read further than needed. */
function countValues(value: string, max: number): number {
  let count = 1;
  for (let at = value.indexOf(','); at !== -1 && count <= max; at = value.indexOf(',', at + 1)) count++;
  return count;
}
