import { traceIds } from './trace-ids.ts';

/** A program that tells of itself. */
export interface TelemetryProgram {
  /** `service.name`, unless OTEL_SERVICE_NAME says otherwise. */
  readonly name: string;
  readonly version: string;
}

/** The SDK of a program, started or not asked for. */
export interface Telemetry {
  /** Sends what is still held back and stops. Never rejects; takes two seconds at most. */
  stop(): Promise<void>;
}

/** A collector that is away or hangs must not keep a program from ending. */
const FLUSH_LIMIT_MS = 2000;

/**
 * Starts the OpenTelemetry SDK, configured by the standard OTEL_* variables only. Call it in the file that a program
 * preloads, so that tracers and meters are real from their first use. Where no variable asks for an export the SDK is not
 * even loaded: it costs more start-up time than many a command.
 */
export async function startTelemetry(program: TelemetryProgram): Promise<Telemetry> {
  const traces = isAskedFor('TRACES');
  const metrics = isAskedFor('METRICS');
  if (process.env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true' || !(traces || metrics)) {
    return { stop: () => Promise.resolve() };
  }
  const [{ NodeSDK }, resources] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/resources'),
  ]);
  const { defaultResource, envDetector, resourceFromAttributes, serviceInstanceIdDetector } = resources;
  const sdk = new NodeSDK({
    resource: defaultResource().merge(
      resourceFromAttributes({ 'service.name': program.name, 'service.version': program.version }),
    ),
    // Never those of the environment: the detector of processes sends the command line, which may hold a token or a subject.
    resourceDetectors: [serviceInstanceIdDetector, envDetector],
    ...(traces ? {} : { spanProcessors: [] }),
    ...(metrics ? {} : { metricReaders: [] }),
    logRecordProcessors: [],
    idGenerator: traceIds,
    instrumentations: [],
  });
  sdk.start();
  return {
    async stop() {
      const limit = Promise.withResolvers<void>();
      const timer = setTimeout(limit.resolve, FLUSH_LIMIT_MS);
      await Promise.race([sdk.shutdown().catch(() => undefined), limit.promise]);
      clearTimeout(timer);
    },
  };
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
