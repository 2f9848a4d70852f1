import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { httpTelemetry } from './http-telemetry.ts';
import { METRICS } from './metric-table.ts';
import { startRecordingSdk, type RecordingSdk } from './testing/recording-sdk.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const REQUEST = {
  method: 'POST',
  route: '/v1/destinations/:id/credentials',
  scheme: 'https',
  headers: { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`, cookie: 'canary' },
} as const;

describe('httpTelemetry', () => {
  let sdk: RecordingSdk;
  beforeEach(() => {
    sdk = startRecordingSdk(1);
  });
  afterEach(() => sdk.stop());

  it('goes on with the trace of the browser, under the name of the route and with nothing of the request besides', async () => {
    const exchange = httpTelemetry()(REQUEST);
    expect(exchange).toMatchObject({ traceId: TRACE_ID, recording: true });
    exchange.run(() => trace.getTracer('t').startSpan('child').end());
    exchange.finish(200);
    exchange.finish(500);
    const [child, served] = await sdk.spans();
    expect(served?.name).toBe('POST /v1/destinations/:id/credentials');
    expect(served?.kind).toBe(SpanKind.SERVER);
    expect(served?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(served?.status.code).toBe(SpanStatusCode.UNSET);
    expect(served?.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': REQUEST.route,
      'http.response.status_code': 200,
      'url.scheme': 'https',
    });
    expect(child?.parentSpanContext?.spanId).toBe(served?.spanContext().spanId);
  });

  it('marks only server faults, and names no path that no route serves', async () => {
    const begin = httpTelemetry();
    begin({ ...REQUEST, headers: {}, route: undefined }).finish(404);
    begin({ ...REQUEST, headers: {} }).finish(503);
    const [unknown, failed] = await sdk.spans();
    expect(unknown?.name).toBe('POST');
    expect(unknown?.status.code).toBe(SpanStatusCode.UNSET);
    expect(failed?.status.code).toBe(SpanStatusCode.ERROR);
    expect(failed?.attributes['error.type']).toBe('503');
  });

  it('measures each request under labels of a closed set, whatever method is sent', async () => {
    httpTelemetry()({ ...REQUEST, method: 'CANARY', route: undefined }).finish(405);
    const [metric] = await sdk.metrics();
    expect(metric?.descriptor.name).toBe('http.server.request.duration');
    const attributes = metric?.dataPoints.map((point) => point.attributes) ?? [];
    expect(attributes).toEqual([
      { 'http.request.method': '_OTHER', 'http.response.status_code': 405, 'url.scheme': 'https' },
    ]);
    for (const name of Object.keys(attributes[0] ?? {}))
      expect(METRICS.httpServerRequestDuration.labels).toContain(name);
  });
});
