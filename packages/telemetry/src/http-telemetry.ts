import {
  context,
  metrics,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type MeterProvider,
  type TextMapGetter,
  type TracerProvider,
} from '@opentelemetry/api';
import { createHistogram } from './instruments.ts';
import { METRICS } from './metric-table.ts';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_URL_SCHEME,
  METHOD_OTHER,
  SCOPE_NAME,
} from './names.ts';
import { withUntrustedParent } from './untrusted-parent.ts';

/** Headers in the form of node:http. */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Properties of a request that HTTP telemetry reads. Path and query are not among them, since they may hold secrets. */
export interface ObservedHttpRequest {
  readonly method: string;
  /** Pattern of the route, a constant of the code; undefined if there is none. */
  readonly route: string | undefined;
  readonly scheme: 'http' | 'https';
  readonly headers: Headers;
}

/** Request that is being served. */
export interface HttpExchange {
  /** Trace id, sampled or not; undefined without an SDK. */
  readonly traceId: string | undefined;
  /** True if the span is recorded. */
  readonly recording: boolean;
  /** Runs work with the request's span as the active one. */
  run<T>(work: () => T): T;
  /** Records the end with the status of the response. Only the first call has an effect. */
  finish(statusCode: number): void;
}

/** Starts the span of a request. */
export type HttpTelemetry = (request: ObservedHttpRequest) => HttpExchange;

/** Providers of spans and metrics. Default: the global ones. */
export interface HttpTelemetryOptions {
  readonly tracerProvider?: TracerProvider | undefined;
  readonly meterProvider?: MeterProvider | undefined;
  /** The sampling decision of a request's `traceparent` counts; see {@link withUntrustedParent}. Default: it counts. */
  readonly trustsParent?: boolean | undefined;
}

const KNOWN_METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'],
]);
const FIRST_SERVER_FAULT = 500;

const headerGetter: TextMapGetter<Headers> = {
  get: (headers, key) => headers[key],
  keys: (headers) => Object.keys(headers),
};

/**
 * Creates the telemetry of an HTTP server by the semantic conventions 1.45. For each request it records one SERVER span,
 * named after the route, and one point of `http.server.request.duration`. The parent comes from the headers by the global
 * propagator. A status of 500 or more marks the span as failed. Start the SDK before the call.
 */
export function httpTelemetry(options: HttpTelemetryOptions = {}): HttpTelemetry {
  const tracer = (options.tracerProvider ?? trace).getTracer(SCOPE_NAME);
  const meter = (options.meterProvider ?? metrics).getMeter(SCOPE_NAME);
  const duration = createHistogram(meter, METRICS.httpServerRequestDuration);
  const { trustsParent = true } = options;
  const labels = createLabels();

  return ({ method, route, scheme, headers }) => {
    const startedAtMs = performance.now();
    const known = KNOWN_METHODS.has(method) ? method : METHOD_OTHER;
    const parent = propagation.extract(ROOT_CONTEXT, headers, headerGetter);
    const name = known === METHOD_OTHER ? 'HTTP' : known;
    const span = tracer.startSpan(
      route === undefined ? name : `${name} ${route}`,
      { kind: SpanKind.SERVER },
      trustsParent ? parent : withUntrustedParent(parent),
    );
    const inSpan: Context = trace.setSpan(parent, span);
    const spanContext = span.spanContext();
    let finished = false;
    return {
      traceId: trace.isSpanContextValid(spanContext) ? spanContext.traceId : undefined,
      recording: span.isRecording(),
      run: (work) => context.with(inSpan, work),
      finish(statusCode) {
        if (finished) return;
        finished = true;
        const attributes = labels(known, route, scheme, statusCode);
        duration.record((performance.now() - startedAtMs) / 1000, attributes);
        if (!span.isRecording()) return;
        span.setAttributes(attributes);
        if (statusCode >= FIRST_SERVER_FAULT) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  };
}

/** Caches the attributes of each outcome. The cache is bounded, since methods, routes and statuses are closed sets. */
function createLabels() {
  const made = new Map<string, Attributes>();
  return (method: string, route: string | undefined, scheme: string, statusCode: number): Attributes => {
    const key = `${method} ${statusCode} ${scheme} ${route ?? ''}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const attributes: Attributes = {
      [ATTR_HTTP_REQUEST_METHOD]: method,
      [ATTR_HTTP_RESPONSE_STATUS_CODE]: statusCode,
      [ATTR_URL_SCHEME]: scheme,
    };
    if (route !== undefined) attributes[ATTR_HTTP_ROUTE] = route;
    if (statusCode >= FIRST_SERVER_FAULT) attributes[ATTR_ERROR_TYPE] = String(statusCode);
    // What cannot change is looked up by itself, not by what it holds.
    made.set(key, Object.freeze(attributes));
    return attributes;
  };
}
