import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import {
  convertLegacyHttpOptions,
  createOtlpHttpExportDelegate,
} from '@opentelemetry/otlp-exporter-base/node-http';
import { ProtobufTraceSerializer, TraceExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { createSpanEncoder } from './encode-spans.ts';

const COMPONENT_TYPE = 'otlp_http_span_exporter';

/**
 * The SDK's exporter of traces over OTLP in protobuf over HTTP, with the standard variables and all it does of retries and
 * limits, but for the encoding, which is {@link createSpanEncoder}.
 */
export function createTraceExporter(): OTLPExporterBase<ReadableSpan[]> {
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

/** Whether the standard variables ask for traces over OTLP in protobuf over HTTP and nowhere else. */
export function isTraceExporterAskedFor(env: NodeJS.ProcessEnv = process.env): boolean {
  const set = (name: string) => env[name]?.trim() || undefined;
  const protocol = set('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? set('OTEL_EXPORTER_OTLP_PROTOCOL');
  return (
    (set('OTEL_TRACES_EXPORTER') ?? 'otlp') === 'otlp' && (protocol ?? 'http/protobuf') === 'http/protobuf'
  );
}
