import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { startOtlpReceiver, type OtlpReceiver } from './start-otlp-receiver.ts';

const resource = resourceFromAttributes({ 'service.name': 'spec' });

describe('startOtlpReceiver with the exporters of OpenTelemetry', () => {
  let receiver: OtlpReceiver;
  beforeEach(async () => {
    receiver = await startOtlpReceiver();
  });
  afterEach(() => receiver.close());

  it.each([CompressionAlgorithm.NONE, CompressionAlgorithm.GZIP])(
    'takes spans whole (compression %s)',
    async (compression) => {
      const exporter = new OTLPTraceExporter({ url: `${receiver.url}/v1/traces`, compression });
      const provider = new TracerProvider({
        resource,
        spanProcessors: [new SimpleSpanProcessor({ exporter })],
      });
      const tracer = provider.getTracer('scope', '1.2.3');
      const parent = tracer.startSpan('parent', {
        kind: SpanKind.SERVER,
        startTime: [1_700_000_000, 123_456_789],
      });
      const child = tracer.startSpan(
        'child',
        {
          attributes: { text: 'x', flag: true, whole: 7, real: 0.5, list: ['a', 'b'] },
          links: [{ context: parent.spanContext() }],
        },
        trace.setSpan(ROOT_CONTEXT, parent),
      );
      child.addEvent('happened', { step: 1 });
      child.setStatus({ code: SpanStatusCode.ERROR, message: 'broke' });
      child.end();
      parent.end([1_700_000_001, 1]);
      await provider.shutdown();

      const seen = receiver.spans();
      expect(seen.find((span) => span.name === 'parent')).toMatchObject({
        traceId: parent.spanContext().traceId,
        spanId: parent.spanContext().spanId,
        parentSpanId: undefined,
        kind: 'SERVER',
        startTimeUnixNano: 1_700_000_000_123_456_789n,
        endTimeUnixNano: 1_700_000_001_000_000_001n,
        status: { code: 'UNSET', message: '' },
        resource: { 'service.name': 'spec' },
        scope: { name: 'scope', version: '1.2.3' },
      });
      expect(seen.find((span) => span.name === 'child')).toMatchObject({
        parentSpanId: parent.spanContext().spanId,
        kind: 'INTERNAL',
        attributes: { text: 'x', flag: true, whole: 7, real: 0.5, list: ['a', 'b'] },
        status: { code: 'ERROR', message: 'broke' },
        events: [{ name: 'happened', attributes: { step: 1 } }],
        links: [
          { traceId: parent.spanContext().traceId, spanId: parent.spanContext().spanId, attributes: {} },
        ],
      });
    },
  );

  it('takes sums, gauges and histograms', async () => {
    const exporter = new OTLPMetricExporter({ url: `${receiver.url}/v1/metrics` });
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({ resource, readers: [reader] });
    const meter = provider.getMeter('scope');
    meter.createCounter('c', { unit: '{call}', description: 'Calls.' }).add(2, { kind: 'a' });
    meter.createGauge('g').record(0.25);
    meter.createHistogram('h', { unit: 's', advice: { explicitBucketBoundaries: [1, 2] } }).record(1.5);
    await provider.shutdown();

    const [counter, gauge, histogram] = receiver.metrics();
    expect(counter).toMatchObject({
      name: 'c',
      unit: '{call}',
      description: 'Calls.',
      type: 'sum',
      temporality: 'CUMULATIVE',
      points: [{ attributes: { kind: 'a' }, value: 2 }],
      resource: { 'service.name': 'spec' },
      scope: { name: 'scope' },
    });
    expect(gauge).toMatchObject({ name: 'g', type: 'gauge', points: [{ value: 0.25, count: undefined }] });
    expect(histogram).toMatchObject({
      type: 'histogram',
      points: [{ count: 1, sum: 1.5, min: 1.5, max: 1.5, bucketCounts: [0, 1, 0], explicitBounds: [1, 2] }],
    });
    expect(counter?.points[0]?.timeUnixNano).toBeGreaterThan(1_700_000_000_000_000_000n);
  });
});
