import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { splitHostAndPort, withPort } from '@callpass/program';

/** Readiness of a process. */
export interface Readiness {
  readonly ready: boolean;
  /** State of each dependency, for people. Contains no secrets. */
  readonly detail: Readonly<Record<string, string>>;
}

/** Sources of the telemetry port. */
export interface TelemetryPortSources {
  /** Metrics in the text format of Prometheus. Undefined: `/metrics` is not served. */
  readonly metrics: (() => Promise<string>) | undefined;
  readonly readiness: () => Readiness;
}

/** Running telemetry port. */
export interface TelemetryPort {
  /** Bound address as host:port. */
  readonly address: string;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const TEXT = 'text/plain; charset=utf-8';
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';
const NOT_FOUND: Answer = { status: 404, type: TEXT, body: 'not found\n' };
const LIMITS = { connections: 64, headerBytes: 8192, requestMs: 5000 } as const;

/**
 * Serves `/metrics`, `/livez` and `/readyz` over plain HTTP without authentication: they contain names and numbers only. Slow
 * and idle connections are closed. Rejects with the system's error if it cannot listen.
 */
export async function startTelemetryPort(
  address: string,
  sources: TelemetryPortSources,
): Promise<TelemetryPort> {
  const server = createServer({
    maxHeaderSize: LIMITS.headerBytes,
    headersTimeout: LIMITS.requestMs,
    requestTimeout: LIMITS.requestMs,
    keepAliveTimeout: LIMITS.requestMs,
    connectionsCheckingInterval: 1000,
  });
  server.maxConnections = LIMITS.connections;
  server.on('request', (request, response) => {
    void respond(sources, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(splitHostAndPort(address), resolve);
  });
  return {
    address: withPort(address, (server.address() as AddressInfo).port),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function respond(
  sources: TelemetryPortSources,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, type, body } = await answer(sources, request).catch((): Answer => ({
    status: 500,
    type: TEXT,
    body: 'internal error\n',
  }));
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
  // No request has a body; one that is sent is not read.
  if (request.method !== 'GET' && request.method !== 'HEAD') request.destroy();
}

async function answer(sources: TelemetryPortSources, { method, url = '' }: IncomingMessage): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: TEXT, body: 'method not allowed\n' };
  switch (url.replace(/\?.*/s, '')) {
    case '/metrics':
      if (sources.metrics === undefined) return NOT_FOUND;
      return { status: 200, type: PROMETHEUS, body: await sources.metrics() };
    case '/livez':
      return { status: 200, type: TEXT, body: 'ok\n' };
    case '/readyz': {
      const { ready, detail } = sources.readiness();
      return {
        status: ready ? 200 : 503,
        type: 'application/json',
        body: `${JSON.stringify({ ready, ...detail })}\n`,
      };
    }
    default:
      return NOT_FOUND;
  }
}
