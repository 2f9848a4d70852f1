import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Metadata } from '@grpc/grpc-js';
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Histogram } from '@opentelemetry/sdk-metrics';
import { METRICS, RPC_DURATION_BOUNDARIES } from './metric-table.ts';
import { SPAN_ATTRIBUTES } from './names.ts';
import { serverTelemetry } from './server-telemetry.ts';
import { setSpanAttributes, traceId, withSpan } from './span.ts';
import { FakeRpcError, ISSUE, serve, serverCall } from './testing/fake-calls.ts';
import { startRecordingSdk, type RecordingSdk } from './testing/recording-sdk.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SAMPLED = `00-${TRACE}-${PARENT}-01`;
const NOT_SAMPLED = `00-${TRACE}-${PARENT}-00`;
const done = (): Promise<void> => Promise.resolve();
const failWith = (code: number) => async (): Promise<void> => {
  throw new FakeRpcError(code);
};

describe('serverTelemetry', () => {
  let sdk: RecordingSdk;
  beforeEach(() => {
    sdk = startRecordingSdk(1);
  });
  afterEach(() => sdk.stop());

  it('continues the trace of the caller', async () => {
    await serve(serverTelemetry(), serverCall({ traceparent: SAMPLED, tracestate: 'vendor=1' }), done);
    const [span] = await sdk.spans();
    expect(span?.spanContext().traceId).toBe(TRACE);
    expect(span?.parentSpanContext?.spanId).toBe(PARENT);
    expect(span?.parentSpanContext?.isRemote).toBe(true);
    expect(span?.spanContext().traceState?.get('vendor')).toBe('1');
  });

  it.each([
    ['garbage', { traceparent: 'garbage' }],
    ['an all-zero trace id', { traceparent: `00-${'0'.repeat(32)}-${PARENT}-01` }],
    ['two joined parents', { traceparent: `${SAMPLED},${SAMPLED}` }],
    ['tracestate alone', { tracestate: 'a=1' }],
  ])('starts a trace of its own when the parent is %s', async (_what, headers) => {
    await serve(serverTelemetry(), serverCall(headers), done);
    const [span] = await sdk.spans();
    expect(span?.parentSpanContext).toBeUndefined();
    expect(span?.spanContext().traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
  });

  it('never takes a span that happens to be active in this process for the parent', async () => {
    await withSpan('callpass.test.outer', () => serve(serverTelemetry(), serverCall(), done));
    const spans = await sdk.spans();
    expect(spans.find((span) => span.name === ISSUE)?.parentSpanContext).toBeUndefined();
  });

  it('names the span by its method and sets exactly the attributes of a good call', async () => {
    await serve(serverTelemetry({ serverAddress: 'callpass.example', serverPort: 7443 }), serverCall(), done);
    const [span] = await sdk.spans();
    expect(span?.name).toBe(ISSUE);
    expect(span?.kind).toBe(SpanKind.SERVER);
    expect(span?.status.code).toBe(SpanStatusCode.UNSET);
    expect(span?.attributes).toEqual({
      'rpc.system.name': 'grpc',
      'rpc.method': ISSUE,
      'rpc.status_code': 'OK',
      'server.address': 'callpass.example',
      'server.port': 7443,
      'network.peer.address': '127.0.0.1',
    });
  });

  it.each([
    ['10.1.2.3:5000', '10.1.2.3'],
    ['::1:5000', '::1'],
    ['[::1]:5000', '::1'],
    ['unknown', 'unknown'],
  ])('records the peer %s as %s', async (peer, address) => {
    await serve(serverTelemetry(), { ...serverCall(), peer }, done);
    const [span] = await sdk.spans();
    expect(span?.attributes['network.peer.address']).toBe(address);
  });

  it('nests child spans under the call across awaits', async () => {
    await serve(serverTelemetry(), serverCall({ traceparent: SAMPLED }), async () => {
      await Promise.resolve();
      await withSpan('callpass.credentials.issue', async () => {
        await Promise.resolve();
        withSpan('callpass.tokens.encrypt', () => undefined);
      });
    });
    const spans = await sdk.spans();
    const [encrypt, issue, call] = spans;
    expect(spans.map((span) => span.name)).toEqual([
      'callpass.tokens.encrypt',
      'callpass.credentials.issue',
      ISSUE,
    ]);
    expect(encrypt?.parentSpanContext?.spanId).toBe(issue?.spanContext().spanId);
    expect(issue?.parentSpanContext?.spanId).toBe(call?.spanContext().spanId);
    expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([TRACE]));
  });

  it('nests child spans under the call in a handler that streams', async () => {
    async function* handler(): AsyncGenerator<number> {
      for (const message of [1, 2]) {
        await Promise.resolve();
        yield withSpan('callpass.ledger.read', () => message);
      }
    }
    await serve(serverTelemetry(), serverCall(), async () => {
      for await (const message of handler()) expect(message).toBeGreaterThan(0);
    });
    const spans = await sdk.spans();
    const call = spans.find((span) => span.name === ISSUE);
    const children = spans.filter((span) => span.name === 'callpass.ledger.read');
    expect(children).toHaveLength(2);
    for (const child of children) expect(child.parentSpanContext?.spanId).toBe(call?.spanContext().spanId);
  });

  it.each([
    [1, 'CANCELLED'],
    [3, 'INVALID_ARGUMENT'],
    [5, 'NOT_FOUND'],
    [6, 'ALREADY_EXISTS'],
    [7, 'PERMISSION_DENIED'],
    [8, 'RESOURCE_EXHAUSTED'],
    [9, 'FAILED_PRECONDITION'],
    [10, 'ABORTED'],
    [11, 'OUT_OF_RANGE'],
    [16, 'UNAUTHENTICATED'],
  ])('does not call a refusal an error: %i %s', async (code, name) => {
    await expect(serve(serverTelemetry(), serverCall(), failWith(code))).rejects.toMatchObject({ code });
    const [span] = await sdk.spans();
    expect(span?.attributes['rpc.status_code']).toBe(name);
    expect(span?.status.code).toBe(SpanStatusCode.UNSET);
    expect(span?.attributes).not.toHaveProperty('error.type');
  });

  it.each([
    [2, 'UNKNOWN'],
    [4, 'DEADLINE_EXCEEDED'],
    [12, 'UNIMPLEMENTED'],
    [13, 'INTERNAL'],
    [14, 'UNAVAILABLE'],
    [15, 'DATA_LOSS'],
  ])('calls a fault of the server an error: %i %s', async (code, name) => {
    await expect(serve(serverTelemetry(), serverCall(), failWith(code))).rejects.toMatchObject({ code });
    const [span] = await sdk.spans();
    expect(span?.attributes).toMatchObject({ 'rpc.status_code': name, 'error.type': name });
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR });
  });

  it.each([
    ['an error without a code', new Error('canary-message')],
    ['an error with a code that is no gRPC status', Object.assign(new Error('canary-message'), { code: 20 })],
    ['an error that claims OK', new FakeRpcError(0)],
    ['a system error', Object.assign(new Error('canary-message'), { code: 'ENOENT' })],
    ['a fraction', { code: 3.5 }],
    ['a text', 'canary-message'],
    ['nothing', undefined],
  ])('records INTERNAL for %s and passes it on untouched', async (_what, thrown) => {
    const call = serve(serverTelemetry(), serverCall(), () => Promise.reject(thrown));
    await expect(call).rejects.toBe(thrown);
    const [span] = await sdk.spans();
    expect(span?.attributes['rpc.status_code']).toBe('INTERNAL');
    expect(span?.status.code).toBe(SpanStatusCode.ERROR);
  });

  it('lets the caller decide what a fault is', async () => {
    const telemetry = serverTelemetry({ isFault: (code) => code === 7 });
    await expect(serve(telemetry, serverCall(), failWith(7))).rejects.toBeInstanceOf(FakeRpcError);
    await expect(serve(telemetry, serverCall(), failWith(13))).rejects.toBeInstanceOf(FakeRpcError);
    const spans = await sdk.spans();
    expect(spans.map((span) => span.status.code)).toEqual([SpanStatusCode.ERROR, SpanStatusCode.UNSET]);
  });

  it('records one histogram point for each method and status, with exactly the bounded labels', async () => {
    const telemetry = serverTelemetry();
    await serve(telemetry, serverCall(), done);
    await serve(telemetry, serverCall(), done);
    await expect(serve(telemetry, serverCall(), failWith(7))).rejects.toThrow();
    await expect(serve(telemetry, serverCall(), failWith(14))).rejects.toThrow();
    const [metric] = await sdk.metrics();
    const common = { 'rpc.system.name': 'grpc', 'rpc.method': ISSUE };
    expect(metric?.descriptor).toMatchObject({ name: 'rpc.server.call.duration', unit: 's' });
    expect(metric?.dataPoints.map((point) => point.attributes)).toEqual([
      { ...common, 'rpc.status_code': 'OK' },
      { ...common, 'rpc.status_code': 'PERMISSION_DENIED' },
      { ...common, 'rpc.status_code': 'UNAVAILABLE', 'error.type': 'UNAVAILABLE' },
    ]);
    const values = metric?.dataPoints.map((point) => point.value as Histogram);
    expect(values?.map((value) => value.count)).toEqual([2, 1, 1]);
    for (const value of values ?? []) expect(value.buckets.boundaries).toEqual(RPC_DURATION_BOUNDARIES);
  });

  it('measures in seconds', async () => {
    const started = performance.now();
    await serve(serverTelemetry(), serverCall(), done);
    const longestSeconds = (performance.now() - started) / 1000;
    const [metric] = await sdk.metrics();
    const value = metric?.dataPoints[0]?.value as Histogram;
    expect(value.sum).toBeGreaterThan(0);
    expect(value.sum).toBeLessThanOrEqual(longestSeconds);
  });

  it('puts methods past the 256th under one name, so that labels stay bounded', async () => {
    const telemetry = serverTelemetry();
    for (let i = 0; i < 300; i += 1)
      await serve(telemetry, serverCall({}, `made.up.Service/Method${i}`), done);
    const [metric] = await sdk.metrics();
    const methods = metric?.dataPoints.map((point) => point.attributes['rpc.method']) ?? [];
    expect(methods).toHaveLength(257);
    expect(methods.at(-1)).toBe('_OTHER');
    expect((metric?.dataPoints.at(-1)?.value as Histogram).count).toBe(44);
  });

  it('carries nothing outside the allow-lists, whatever callers, handlers and errors hold', async () => {
    const headers = { traceparent: SAMPLED, baggage: 'token=canary-baggage', authorization: 'canary-key' };
    const call = serve(serverTelemetry(), serverCall(headers), () =>
      withSpan('callpass.credentials.issue', async () => {
        setSpanAttributes({ 'callpass.realm': 'support.example', subject: 'canary-subject' } as object);
        throw new FakeRpcError(13);
      }),
    );
    await expect(call).rejects.toThrow();
    const spans = await sdk.spans();
    const [metric] = await sdk.metrics();
    expect(spans).toHaveLength(2);
    for (const span of spans) {
      expect(SPAN_ATTRIBUTES).toEqual(expect.arrayContaining(Object.keys(span.attributes)));
      expect(span.events).toEqual([]);
      expect(span.status.message).toBeUndefined();
      expect(JSON.stringify(span.attributes)).not.toContain('canary');
    }
    for (const point of metric?.dataPoints ?? []) {
      expect(METRICS.rpcServerCallDuration.labels).toEqual(
        expect.arrayContaining(Object.keys(point.attributes)),
      );
    }
  });

  it('hands the baggage of the caller to what it calls in turn', async () => {
    const seen = await new Promise((resolve, reject) => {
      serve(serverTelemetry(), serverCall({ baggage: 'tier=gold' }), async () => {
        resolve(propagation.getActiveBaggage()?.getEntry('tier')?.value);
      }).catch(reject);
    });
    expect(seen).toBe('gold');
  });

  it('keeps two calls at the same time apart', async () => {
    const telemetry = serverTelemetry();
    const other = 'f'.repeat(32);
    const gate = Promise.withResolvers<void>();
    const seen: (string | undefined)[] = [];
    const see = async (): Promise<void> => {
      await gate.promise;
      seen.push(traceId());
    };
    const first = serve(telemetry, serverCall({ traceparent: SAMPLED }), see);
    const second = serve(telemetry, serverCall({ traceparent: `00-${other}-${PARENT}-01` }), see);
    gate.resolve();
    await Promise.all([first, second]);
    expect(seen).toEqual([TRACE, other]);
    expect(traceId()).toBeUndefined();
  });

  it('counts a call that is not sampled and still knows its trace id', async () => {
    let seen: string | undefined;
    await serve(serverTelemetry(), serverCall({ traceparent: NOT_SAMPLED }), async () => {
      seen = traceId();
    });
    expect(seen).toBe(TRACE);
    expect(await sdk.spans()).toHaveLength(0);
    const [metric] = await sdk.metrics();
    expect((metric?.dataPoints[0]?.value as Histogram).count).toBe(1);
  });
});

describe('serverTelemetry without an SDK', () => {
  it('runs the call and passes errors on, recording nothing', async () => {
    const telemetry = serverTelemetry();
    let ran = false;
    await serve(telemetry, { ...serverCall(), metadata: new Metadata(), peer: 'unknown' }, async () => {
      ran = true;
    });
    expect(ran).toBe(true);
    await expect(serve(telemetry, serverCall({ traceparent: SAMPLED }), failWith(7))).rejects.toMatchObject({
      code: 7,
    });
    expect(trace.getSpan(context.active())).toBeUndefined();
    expect(context.active()).toBe(ROOT_CONTEXT);
  });
});
