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
 * The SDK's exporter of traces over OTLP in protobuf over HTTP, with the standard variables and all it does of retries and
 * limits, but for the encoding, which is {@link createSpanEncoder}.
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
 * The SDK's batches with room for a server under load whose every trace is recorded, where the SDK's own 2,048 spans and 512
 * a batch lose one in eight. The standard variables win.
 */
const BATCH = {
  maxQueueSize: 16_384,
  maxExportBatchSize: 2048,
  scheduledDelayMillis: 5000,
  exportTimeoutMillis: 30_000,
} as const;

/** Sends spans in batches by {@link createTraceExporter}. */
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

/** As the SDK reads them: what is no number counts as not set. */
function countIn(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name]?.trim() ?? '';
  const value = Number(text);
  return text !== '' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** Whether the standard variables ask for traces over OTLP in protobuf over HTTP and nowhere else. */
export function isTraceProcessorAskedFor(env: NodeJS.ProcessEnv = process.env): boolean {
  const set = (name: string) => env[name]?.trim() || undefined;
  const protocol = set('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? set('OTEL_EXPORTER_OTLP_PROTOCOL');
  return (
    (set('OTEL_TRACES_EXPORTER') ?? 'otlp') === 'otlp' && (protocol ?? 'http/protobuf') === 'http/protobuf'
  );
}
