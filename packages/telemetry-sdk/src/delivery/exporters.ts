import type { LogRecordExporter } from '@opentelemetry/sdk-logs';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { createTraceExporter } from '../otlp/trace-exporter.ts';
import { destinationOf, type Signal } from '../variables.ts';

/** Exporters of the signals. */
export interface Exporters {
  readonly traces: SpanExporter;
  readonly metrics: PushMetricExporter;
  readonly logs: LogRecordExporter;
}

/** Options of an exporter. */
export interface ExporterOptions {
  /** Time limit of an export with all its attempts. Left out: the standard variables say it, or 10 s. */
  readonly timeoutMillis?: number;
}

/** Creates the OTLP exporter of a signal by the standard variables. Only the one that is used is loaded. */
export async function createExporter<S extends Signal>(
  signal: S,
  options: ExporterOptions = {},
): Promise<Exporters[S]> {
  const { protocol } = destinationOf(signal, process.env);
  return MAKERS[signal][protocol](options);
}

type Protocol = ReturnType<typeof destinationOf>['protocol'];
type Makers = {
  readonly [S in Signal]: Readonly<Record<Protocol, (options: ExporterOptions) => Promise<Exporters[S]>>>;
};

const MAKERS: Makers = {
  traces: {
    'http/protobuf': (options) => Promise.resolve(createTraceExporter(options)),
    'http/json': async (options) =>
      new (await import('@opentelemetry/exporter-trace-otlp-http')).OTLPTraceExporter(options),
    grpc: async (options) =>
      new (await import('@opentelemetry/exporter-trace-otlp-grpc')).OTLPTraceExporter(options),
  },
  metrics: {
    'http/protobuf': async (options) =>
      new (await import('@opentelemetry/exporter-metrics-otlp-proto')).OTLPMetricExporter(options),
    'http/json': async (options) =>
      new (await import('@opentelemetry/exporter-metrics-otlp-http')).OTLPMetricExporter(options),
    grpc: async (options) =>
      new (await import('@opentelemetry/exporter-metrics-otlp-grpc')).OTLPMetricExporter(options),
  },
  logs: {
    'http/protobuf': async (options) =>
      new (await import('@opentelemetry/exporter-logs-otlp-proto')).OTLPLogExporter(options),
    'http/json': async (options) =>
      new (await import('@opentelemetry/exporter-logs-otlp-http')).OTLPLogExporter(options),
    grpc: async (options) =>
      new (await import('@opentelemetry/exporter-logs-otlp-grpc')).OTLPLogExporter(options),
  },
};
