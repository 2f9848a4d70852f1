import type { AskEdge, Grant } from '../call/credentials.ts';
import type { NoAnswer } from '../call/fault.ts';
import type { BrowserSpan } from '../trace/browser-span.ts';
import { newTrace, traceparent } from '../trace/trace-context.ts';
import { readGrant, readProblem, UnusableAnswer } from './answers.ts';

/** Request to the edge and its response, for the developer's panel. */
export interface Exchange {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** HTTP status; undefined without a response. */
  readonly status: number | undefined;
  /** Response body; undefined if it is no JSON. */
  readonly body: unknown;
  readonly grant: Grant | undefined;
  readonly span: BrowserSpan;
}

/** Time limit for the edge, whose own limit is shorter. */
const LIMIT_MS = 15_000;

/** Creates the client of the edge's `POST /v1/destinations/{id}/credentials`. */
export function createEdge(edge: string, onExchange: (exchange: Exchange) => void): AskEdge {
  return async (destination, signal) => {
    const url = `${edge}/v1/destinations/${encodeURIComponent(destination)}/credentials`;
    const trace = newTrace();
    const headers = { 'content-type': 'application/json', traceparent: traceparent(trace) };
    const startMs = performance.timeOrigin + performance.now();
    let status: number | undefined;
    let body: unknown;
    let grant: Grant | undefined;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body: '{}',
        credentials: 'include',
        cache: 'no-store',
        signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
      });
      status = response.status;
      body = await response.json().catch(() => undefined);
      if (response.ok) {
        grant = readGrant(body, clockAhead(response.headers.get('date')), Date.now());
        return { type: 'granted', grant };
      }
      return { type: 'refused', problem: readProblem(status, body, response.headers.get('retry-after')) };
    } finally {
      const endMs = performance.timeOrigin + performance.now();
      const name = 'POST /v1/destinations/{id}/credentials';
      const span = { ...trace, name, startMs, endMs, failed: grant === undefined };
      onExchange({ url, headers, status, body, grant, span });
    }
  };
}

/** Cause of a rejection of the function that {@link createEdge} returns. */
export function causeOfEdgeError(error: unknown): NoAnswer | 'unusable' {
  if (error instanceof UnusableAnswer) return 'unusable';
  return error instanceof DOMException && error.name === 'TimeoutError' ? 'timeout' : 'unreachable';
}

/** Milliseconds by which the visitor's clock is ahead of the edge's, accurate to a second; 0 if unknown. */
function clockAhead(date: string | null): number {
  const edgeMs = date === null ? Number.NaN : Date.parse(date);
  const ahead = Date.now() - edgeMs;
  return Math.abs(ahead) > 2_000 ? ahead : 0;
}
