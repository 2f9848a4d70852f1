/** Ids of a span and its trace (W3C Trace Context). */
export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
}

/** Creates a trace with its root span, from the browser's CSPRNG. */
export function newTrace(): TraceContext {
  return { traceId: randomHex(16), spanId: randomHex(8) };
}

/** Formats the `traceparent` header: version 00, sampled. */
export function traceparent({ traceId, spanId }: TraceContext): string {
  return `00-${traceId}-${spanId}-01`;
}

function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
