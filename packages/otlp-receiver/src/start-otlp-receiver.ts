import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ReceivedMetric } from './received-metrics.ts';
import type { ReceivedSpan } from './received-spans.ts';
import { createReceivedStore, type Signal } from './received-store.ts';
import { readBody, RejectedRequest } from './request-body.ts';
import type { JsonObject } from './json-reader.ts';
import { createWaiters } from './waiters.ts';

const REQUEST_TIMEOUT_MS = 10_000;
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);
const SIGNALS: ReadonlyMap<string, Signal> = new Map([
  ['/v1/traces', 'traces'],
  ['/v1/metrics', 'metrics'],
]);

/** Options of {@link startOtlpReceiver}. */
export interface OtlpReceiverOptions {
  /** Port. Default: 0, which picks a free port. */
  readonly port?: number | undefined;
  /** Host: `127.0.0.1` (default), `::1` or `localhost`. */
  readonly host?: string | undefined;
  /** Limit on spans, at least 1. Default: 10,000. The oldest are dropped first. */
  readonly maxSpans?: number | undefined;
  /** Checks if pages of an origin (`http://host:port`) may export here. Default: none may. */
  readonly isAllowedOrigin?: ((origin: string) => boolean) | undefined;
}

/** Running receiver. Its lists are copies. */
export interface OtlpReceiver {
  /** Value for `OTEL_EXPORTER_OTLP_ENDPOINT`, such as `http://127.0.0.1:4318`. */
  readonly url: string;
  /** Spans in the order of arrival. */
  readonly spans: () => ReceivedSpan[];
  /** Last export of each metric of each process; at most 1,000. */
  readonly metrics: () => ReceivedMetric[];
  /** Request bodies as text, decompressed, in the order of arrival; the last 32 Mi characters. */
  readonly raw: () => string[];
  /** Number of spans, metrics and bodies that were dropped since the start or the last `clear`. */
  readonly dropped: () => number;
  /**
   * Calls `predicate` now and after every accepted request. Resolves with its first result that is neither `undefined` nor
   * `false`. Rejects after `timeoutMs`, when the receiver closes, or when the predicate throws.
   */
  waitFor<T>(predicate: (receiver: OtlpReceiver) => T | undefined | false, timeoutMs: number): Promise<T>;
  /** Discards everything received. */
  readonly clear: () => void;
  /** Stops listening and closes open connections. A second call has no effect. */
  close(): Promise<void>;
}

/**
 * Starts a receiver of OTLP/HTTP with JSON on a loopback address: `POST /v1/traces`, `/v1/metrics`, plain or gzip,
 * up to 4 MiB a body. Rejects with `TypeError` for another host or an invalid limit, and with the system's error if the
 * port is in use.
 */
export async function startOtlpReceiver(options: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const { port = 0, host = '127.0.0.1', maxSpans = 10_000, isAllowedOrigin = () => false } = options;
  if (!LOOPBACK_HOSTS.has(host)) throw new TypeError('the OTLP receiver listens on a loopback address only');
  if (!Number.isSafeInteger(maxSpans) || maxSpans < 1)
    throw new TypeError('maxSpans must be a whole number from 1');

  const store = createReceivedStore(maxSpans);
  const waiters = createWaiters();
  const server = createServer((request, response) => {
    allowOrigin(request, response, isAllowedOrigin);
    if (request.method === 'OPTIONS') {
      request.resume();
      response.writeHead(204).end();
      return;
    }
    accept(request)
      .then(({ signal, message, body }) => {
        store.add(signal, message, body);
        answer(response, 200, {});
        waiters.wake();
      })
      .catch((error: unknown) => reject(response, error));
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  await new Promise<void>((resolve, refuse) => {
    server.once('error', refuse);
    server.listen({ port, host }, resolve);
  });
  const { address, family, port: actualPort } = server.address() as AddressInfo;

  const receiver: OtlpReceiver = {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${actualPort}`,
    spans: store.spans,
    metrics: store.metrics,
    raw: store.raw,
    dropped: store.dropped,
    waitFor: (predicate, timeoutMs) => waiters.wait(() => predicate(receiver), timeoutMs),
    clear: store.clear,
    async close() {
      waiters.abandon();
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
  return receiver;
}

/** Sets the CORS headers for an exporter in a page. Other origins get none, so their browser refuses the request. */
function allowOrigin(
  { headers: { origin } }: IncomingMessage,
  response: ServerResponse,
  isAllowedOrigin: (origin: string) => boolean,
): void {
  response.setHeader('vary', 'origin');
  if (origin === undefined || !isAllowedOrigin(origin)) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-methods', 'POST');
  response.setHeader('access-control-allow-headers', 'content-type, content-encoding');
}

interface AcceptedRequest {
  readonly signal: Signal;
  readonly message: JsonObject;
  readonly body: string;
}

async function accept(request: IncomingMessage): Promise<AcceptedRequest> {
  const signal = SIGNALS.get(request.url?.split('?', 1)[0] ?? '');
  if (signal === undefined || request.method !== 'POST') {
    request.resume();
    if (signal !== undefined) throw new RejectedRequest(405, 'only POST is accepted here');
    throw new RejectedRequest(404, 'only /v1/traces and /v1/metrics are served');
  }
  const body = await readBody(request);
  return { signal, message: parse(body), body };
}

function parse(body: string): JsonObject {
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch {
    throw new RejectedRequest(400, 'the body is not valid JSON');
  }
  if (typeof message === 'object' && message !== null && !Array.isArray(message))
    return message as JsonObject;
  throw new RejectedRequest(400, 'the body is not a JSON object');
}

function reject(response: ServerResponse, error: unknown): void {
  // Any other error means that the client disconnected while sending, so there is no response.
  if (!(error instanceof RejectedRequest)) {
    response.destroy();
    return;
  }
  if (error.httpStatus === 405) response.setHeader('allow', 'POST');
  answer(response, error.httpStatus, { message: error.message });
}

function answer(response: ServerResponse, status: number, content: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
}
