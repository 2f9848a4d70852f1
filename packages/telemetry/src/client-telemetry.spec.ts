import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Metadata } from '@grpc/grpc-js';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { clientTelemetry } from './client-telemetry.ts';
import { serverTelemetry } from './server-telemetry.ts';
import { withSpan } from './span.ts';
import { clientCall, FakeRpcError, ISSUE, serve, serverCall } from './testing/fake-calls.ts';
import { startRecordingSdk, type RecordingSdk } from './testing/recording-sdk.ts';

describe('clientTelemetry', () => {
  let sdk: RecordingSdk;
  beforeEach(() => {
    sdk = startRecordingSdk(1);
  });
  afterEach(() => sdk.stop());

  it('gives back what the call gives back', async () => {
    await expect(clientTelemetry()(clientCall(), async () => 'answer')).resolves.toBe('answer');
  });

  it('sends its own span as the parent, before the call is made', async () => {
    const call = clientCall();
    let sent: unknown;
    await clientTelemetry()(call, async () => {
      sent = call.metadata.get('traceparent')[0];
    });
    const [span] = await sdk.spans();
    expect(span?.kind).toBe(SpanKind.CLIENT);
    expect(sent).toBe(`00-${span?.spanContext().traceId}-${span?.spanContext().spanId}-01`);
  });

  it('replaces the parent on a retry with the same metadata', async () => {
    const call = clientCall();
    const telemetry = clientTelemetry();
    await telemetry(call, async () => undefined);
    await telemetry(call, async () => undefined);
    const spans = await sdk.spans();
    expect(call.metadata.get('traceparent')).toHaveLength(1);
    expect(call.metadata.get('traceparent')[0]).toContain(spans[1]?.spanContext().spanId);
  });

  it('hangs the call under the active span, and the server under the call', async () => {
    const call = clientCall();
    await withSpan('callpass.test.request', () =>
      clientTelemetry()(call, () =>
        serve(serverTelemetry(), { ...serverCall(), metadata: call.metadata }, () => Promise.resolve()),
      ),
    );
    const [server, client, request] = await sdk.spans();
    expect(server?.kind).toBe(SpanKind.SERVER);
    expect(server?.parentSpanContext?.spanId).toBe(client?.spanContext().spanId);
    expect(client?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
    expect(server?.spanContext().traceId).toBe(request?.spanContext().traceId);
  });

  it('sets exactly the attributes of a good call', async () => {
    const telemetry = clientTelemetry({ serverAddress: 'callpass.example', serverPort: 7443 });
    await telemetry(clientCall(), async () => undefined);
    const [span] = await sdk.spans();
    expect(span?.name).toBe(ISSUE);
    expect(span?.attributes).toEqual({
      'rpc.system.name': 'grpc',
      'rpc.method': ISSUE,
      'rpc.status_code': 'OK',
      'server.address': 'callpass.example',
      'server.port': 7443,
    });
    expect(span?.status.code).toBe(SpanStatusCode.UNSET);
  });

  it.each([
    [1, 'CANCELLED'],
    [7, 'PERMISSION_DENIED'],
    [14, 'UNAVAILABLE'],
  ])('calls every status but OK an error of the client: %i %s', async (code, name) => {
    const call = clientTelemetry()(clientCall(), async () => {
      throw new FakeRpcError(code);
    });
    await expect(call).rejects.toMatchObject({ code });
    const [span] = await sdk.spans();
    expect(span?.attributes).toMatchObject({ 'rpc.status_code': name, 'error.type': name });
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR });
    const [metric] = await sdk.metrics();
    expect(metric?.descriptor).toMatchObject({ name: 'rpc.client.call.duration', unit: 's' });
    expect(metric?.dataPoints.map((point) => point.attributes)).toEqual([
      { 'rpc.system.name': 'grpc', 'rpc.method': ISSUE, 'rpc.status_code': name, 'error.type': name },
    ]);
  });

  it.each([
    ['Last error: Error: certificate has expired. Resolution note: ', 'CERT_HAS_EXPIRED'],
    ["Failed to connect; this client's certificate has expired", 'CLIENT_CERT_HAS_EXPIRED'],
    ['Error: self-signed certificate in certificate chain', 'SELF_SIGNED_CERT_IN_CHAIN'],
    ['Error: connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED'],
    ['canary-message', undefined],
  ])('names why there was no connection, and nothing else of the text: %s', async (text, fault) => {
    const error = Object.assign(new Error(`No connection established. ${text}`), { code: 14 });
    await expect(clientTelemetry()(clientCall(), () => Promise.reject(error))).rejects.toBe(error);
    const [span] = await sdk.spans();
    expect(span?.attributes['callpass.transport.fault']).toBe(fault);
    expect(JSON.stringify([span?.attributes, span?.status, span?.events])).not.toContain(
      'connection established',
    );
  });

  it('takes the text of a service for no fault of the transport', async () => {
    const error = Object.assign(new Error('certificate has expired'), { code: 7 });
    await expect(clientTelemetry()(clientCall(), () => Promise.reject(error))).rejects.toBe(error);
    const [span] = await sdk.spans();
    expect(span?.attributes).not.toHaveProperty('callpass.transport.fault');
  });

  it('records UNKNOWN for an error without a status', async () => {
    const call = clientTelemetry()(clientCall(), async () => {
      throw new TypeError('canary-message');
    });
    await expect(call).rejects.toBeInstanceOf(TypeError);
    const [span] = await sdk.spans();
    expect(span?.attributes['rpc.status_code']).toBe('UNKNOWN');
  });

  it('makes the call even when the metadata refuses the trace context', async () => {
    const metadata: Pick<Metadata, 'set'> = {
      set() {
        throw new Error('metadata is closed');
      },
    };
    await expect(clientTelemetry()({ methodName: ISSUE, metadata }, async () => 1)).resolves.toBe(1);
  });
});
