import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import {
  convertLegacyHttpOptions,
  createOtlpHttpExportDelegate,
} from '@opentelemetry/otlp-exporter-base/node-http';
import { ProtobufTraceSerializer, TraceExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import { BatchSpanProcessor, type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { createSpanEncoder } from './encode-spans.ts';

const COMPONENT_TYPE = 'otlp_http_span_exporter';

/**
 * Creates the SDK's exporter of traces (OTLP, protobuf over HTTP) with the standard variables, retries and limits, but with
 * the encoding of {@link createSpanEncoder}.
 */
function createTraceExporter(): OTLPExporterBase<ReadableSpan[]> {
  const options = convertLegacyHttpOptions({}, 'TRACES', 'v1/traces', {
    'Content-Type': 'application/x-protobuf',
  });
  const encode = createSpanEncoder();
  return new OTLPExporterBase(
    createOtlpHttpExportDelegate(
      options,
      {
        serializeRequest: encode,
        deserializeResponse: (response: Uint8Array) => ProtobufTraceSerializer.deserializeResponse(response),
      },
      COMPONENT_TYPE,
      TraceExporterMetricsHelper,
      undefined,
    ),
  );
}

/**
 * Batch limits for a server under load that records every trace. With the SDK's defaults, 2,048 spans and 512 a batch, one
 * span in eight would be lost. The standard variables override them.
 */
const BATCH = {
  maxQueueSize: 16_384,
  maxExportBatchSize: 2048,
  scheduledDelayMillis: 5000,
  exportTimeoutMillis: 30_000,
} as const;

/** Creates a processor that sends spans in batches with {@link createTraceExporter}. */
export function createTraceProcessor(env: NodeJS.ProcessEnv = process.env): SpanProcessor {
  const maxQueueSize = countIn(env, 'OTEL_BSP_MAX_QUEUE_SIZE') ?? BATCH.maxQueueSize;
  return new BatchSpanProcessor({
    exporter: createTraceExporter(),
    maxQueueSize,
    maxExportBatchSize: Math.min(
      countIn(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE') ?? BATCH.maxExportBatchSize,
      maxQueueSize,
    ),
    scheduledDelayMillis: countIn(env, 'OTEL_BSP_SCHEDULE_DELAY') ?? BATCH.scheduledDelayMillis,
    exportTimeoutMillis: countIn(env, 'OTEL_BSP_EXPORT_TIMEOUT') ?? BATCH.exportTimeoutMillis,
  });
}

/** Reads a number like the SDK: an invalid value counts as not set. */
function countIn(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name]?.trim() ?? '';
  const value = Number(text);
  return text !== '' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** Checks that the standard variables enable traces over OTLP in protobuf over HTTP, and no other exporter of traces. */
export function isTraceProcessorEnabled(env: NodeJS.ProcessEnv = process.env): boolean {
  const set = (name: string) => env[name]?.trim() || undefined;
  const protocol = set('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? set('OTEL_EXPORTER_OTLP_PROTOCOL');
  return (
    (set('OTEL_TRACES_EXPORTER') ?? 'otlp') === 'otlp' && (protocol ?? 'http/protobuf') === 'http/protobuf'
  );
}
