import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import { traceIds } from './trace-ids.ts';

/** Name and version of a program, for its telemetry. */
export interface TelemetryProgram {
  /** Default of `service.name`; OTEL_SERVICE_NAME overrides it. */
  readonly name: string;
  readonly version: string;
  /** Commit that it was made from, if known. */
  readonly commit?: string | undefined;
}

/** Telemetry of a program. The SDK may not be running, if no variable enables an export. */
export interface Telemetry {
  /** Collects the metrics in the text format of Prometheus; `undefined` if that is not enabled. */
  readonly metricsText: (() => Promise<string>) | undefined;
  /** Sends the remaining telemetry and stops. Does not reject; takes at most two seconds. */
  stop(): Promise<void>;
}

/** Time limit of the last export, so that an unavailable collector does not keep a program from ending. */
const FLUSH_LIMIT_MS = 2000;

/**
 * Starts the OpenTelemetry SDK, configured by the standard OTEL_* variables only. Call it before the program creates its
 * instruments; tracers may be created earlier. If no variable enables an export, the SDK is not loaded, because loading it
 * takes longer than many commands. `scrape` enables metrics like `prometheus` in `OTEL_METRICS_EXPORTER`.
 */
export async function startTelemetry(
  program: TelemetryProgram,
  { scrape = false }: { scrape?: boolean } = {},
): Promise<Telemetry> {
  const traces = isEnabled('TRACES');
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
      resourceFromAttributes({
        'service.name': program.name,
        'service.version': program.version,
        ...(program.commit && { 'vcs.ref.head.revision': program.commit }),
      }),
    ),
    // Not those of the environment: the process detector sends the command line, which may contain a token or a subject.
    resourceDetectors: [serviceInstanceIdDetector, envDetector],
    ...(traces ? await traceExport() : { spanProcessors: [] }),
    ...(withScrape ? { metricReaders: withScrape.readers } : metrics ? {} : { metricReaders: [] }),
    logRecordProcessors: [],
    idGenerator: traceIds,
    ...(traces ? await sampling() : {}),
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

/** Gets the address for Prometheus from the standard variables, or `undefined` if they do not enable it. */
export function prometheusAddress(): string | undefined {
  if (!metricExporters().includes('prometheus')) return undefined;
  const host = process.env['OTEL_EXPORTER_PROMETHEUS_HOST']?.trim() || '127.0.0.1';
  return `${host}:${process.env['OTEL_EXPORTER_PROMETHEUS_PORT']?.trim() || '9464'}`;
}

async function sampling(): Promise<Partial<NodeSDKConfiguration>> {
  const { createSampler } = await import('./sampler.ts');
  return { sampler: createSampler() };
}

/** Configures the export of traces, unless the SDK does it. */
async function traceExport(): Promise<Partial<NodeSDKConfiguration>> {
  const { createTraceProcessor, isTraceProcessorEnabled } = await import('./otlp/trace-processor.ts');
  return isTraceProcessorEnabled() ? { spanProcessors: [createTraceProcessor()] } : {};
}

function metricExporters(): string[] {
  if (!isEnabled('METRICS')) return [];
  const named = (process.env['OTEL_METRICS_EXPORTER'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return named.length > 0 ? named : ['otlp'];
}

function isEnabled(signal: 'TRACES' | 'METRICS'): boolean {
  const variables = [
    `OTEL_${signal}_EXPORTER`,
    `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`,
    'OTEL_EXPORTER_OTLP_ENDPOINT',
  ];
  const [exporter, ...endpoints] = variables.map((name) => process.env[name]?.trim() ?? '');
  return exporter !== 'none' && [exporter, ...endpoints].some((value) => value !== '');
}
