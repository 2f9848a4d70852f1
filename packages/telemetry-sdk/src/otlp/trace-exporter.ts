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
 * Creates the SDK's exporter of traces (OTLP, protobuf over HTTP) with the standard variables, retries and limits, but with
 * the encoding of {@link createSpanEncoder}.
 */
export function createTraceExporter(
  given: { readonly timeoutMillis?: number } = {},
): OTLPExporterBase<ReadableSpan[]> {
  const options = convertLegacyHttpOptions(given, 'TRACES', 'v1/traces', {
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
