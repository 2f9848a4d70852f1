import { fetchCredentials, RefusedError, UnusableAnswerError } from '@callpass/client/browser';
import type { AskEdge, Grant } from '../call/credentials.ts';
import type { NoAnswer } from '../call/fault.ts';
import type { BrowserSpan } from '../trace/browser-span.ts';
import { newTrace, traceparent } from '../trace/trace-context.ts';

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

/** Creates the client of the edge's `POST /v1/destinations/{id}/credentials`. */
export function createEdge(edge: string, onExchange: (exchange: Exchange) => void): AskEdge {
  return async (destination, signal) => {
    const url = `${edge}/v1/destinations/${encodeURIComponent(destination)}/credentials`;
    const trace = newTrace();
    const headers = { traceparent: traceparent(trace) };
    const startMs = performance.timeOrigin + performance.now();
    let status: number | undefined;
    let body: unknown;
    let grant: Grant | undefined;
    try {
      grant = await fetchCredentials({
        url: edge,
        destination,
        signal,
        headers,
        fetch: async (...request) => {
          const response = await fetch(...request);
          status = response.status;
          body = await response
            .clone()
            .json()
            .catch(() => undefined);
          return response;
        },
      });
      return { type: 'granted', grant };
    } catch (error) {
      if (error instanceof RefusedError) return { type: 'refused', problem: error.refusal };
      throw error;
    } finally {
      const endMs = performance.timeOrigin + performance.now();
      const name = 'POST /v1/destinations/{id}/credentials';
      const span = { ...trace, name, startMs, endMs, failed: grant === undefined };
      onExchange({
        url,
        headers: { 'content-type': 'application/json', ...headers },
        status,
        body,
        grant,
        span,
      });
    }
  };
}

/** Cause of a rejection of the function that {@link createEdge} returns. */
export function causeOfEdgeError(error: unknown): NoAnswer | 'unusable' {
  if (error instanceof UnusableAnswerError) return 'unusable';
  return error instanceof DOMException && error.name === 'TimeoutError' ? 'timeout' : 'unreachable';
}
