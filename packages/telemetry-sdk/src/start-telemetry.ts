import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import { traceIds } from './trace-ids.ts';

/** A program that tells of itself. */
export interface TelemetryProgram {
  /** `service.name`, unless OTEL_SERVICE_NAME says otherwise. */
  readonly name: string;
  readonly version: string;
}

/** The SDK of a program, started or not asked for. */
export interface Telemetry {
  /** The metrics in the text format of Prometheus; `undefined` where nobody asked for that. */
  readonly metricsText: (() => Promise<string>) | undefined;
  /** Sends what is still held back and stops. Never rejects; takes two seconds at most. */
  stop(): Promise<void>;
}

/** A collector that is away or hangs must not keep a program from ending. */
const FLUSH_LIMIT_MS = 2000;

/**
 * Starts the OpenTelemetry SDK, configured by the standard OTEL_* variables only. Call it in the file that a program
 * preloads, or before it makes its instruments: tracers may be asked for earlier, meters not. Where no variable asks for an export the SDK is not
 * even loaded: it costs more start-up time than many a command. `scrape` asks for metrics as `OTEL_METRICS_EXPORTER` with
 * `prometheus` does.
 */
export async function startTelemetry(
  program: TelemetryProgram,
  { scrape = false }: { scrape?: boolean } = {},
): Promise<Telemetry> {
  const traces = isAskedFor('TRACES');
  const exporters = metricExporters();
  const scraped = scrape || exporters.includes('prometheus');
  const metrics = scraped || exporters.length > 0;
  if (process.env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true' || !(traces || metrics)) {
    return { metricsText: undefined, stop: () => Promise.resolve() };
  }
  const [{ NodeSDK }, resources] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/resources'),
  ]);
  const withScrape = scraped
    ? await (await import('./metric-readers.ts')).readersWithScrape(exporters)
    : undefined;
  const { defaultResource, envDetector, resourceFromAttributes, serviceInstanceIdDetector } = resources;
  const sdk = new NodeSDK({
    resource: defaultResource().merge(
      resourceFromAttributes({ 'service.name': program.name, 'service.version': program.version }),
    ),
    // Never those of the environment: the detector of processes sends the command line, which may hold a token or a subject.
    resourceDetectors: [serviceInstanceIdDetector, envDetector],
    ...(traces ? await traceExport() : { spanProcessors: [] }),
    ...(withScrape ? { metricReaders: withScrape.readers } : metrics ? {} : { metricReaders: [] }),
    logRecordProcessors: [],
    idGenerator: traceIds,
    instrumentations: [],
  });
  sdk.start();
  return {
    metricsText: withScrape && (() => withScrape.scrape.text()),
    async stop() {
      const limit = Promise.withResolvers<void>();
      const timer = setTimeout(limit.resolve, FLUSH_LIMIT_MS);
      await Promise.race([sdk.shutdown().catch(() => undefined), limit.promise]);
      clearTimeout(timer);
    },
  };
}

/** Where Prometheus is served by the standard variables, or `undefined` where they do not ask for it. */
export function prometheusAddress(): string | undefined {
  if (!metricExporters().includes('prometheus')) return undefined;
  const host = process.env['OTEL_EXPORTER_PROMETHEUS_HOST']?.trim() || '127.0.0.1';
  return `${host}:${process.env['OTEL_EXPORTER_PROMETHEUS_PORT']?.trim() || '9464'}`;
}

/** How traces leave, where it is not left to the SDK. */
async function traceExport(): Promise<Partial<NodeSDKConfiguration>> {
  const { createTraceProcessor, isTraceProcessorAskedFor } = await import('./otlp/trace-processor.ts');
  return isTraceProcessorAskedFor() ? { spanProcessors: [createTraceProcessor()] } : {};
}

function metricExporters(): string[] {
  if (!isAskedFor('METRICS')) return [];
  const named = (process.env['OTEL_METRICS_EXPORTER'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return named.length > 0 ? named : ['otlp'];
}

function isAskedFor(signal: 'TRACES' | 'METRICS'): boolean {
  const asking = [
    `OTEL_${signal}_EXPORTER`,
    `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`,
    'OTEL_EXPORTER_OTLP_ENDPOINT',
  ];
  const [exporter, ...endpoints] = asking.map((name) => process.env[name]?.trim() ?? '');
  return exporter !== 'none' && [exporter, ...endpoints].some((value) => value !== '');
}
