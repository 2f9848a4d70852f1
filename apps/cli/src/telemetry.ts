// Starts the OpenTelemetry SDK by the standard OTEL_* variables, and loads it only where one of them asks for exports: it
// costs more start-up time than the rest of the program.

/** A collector that is away must not hold up the command. */
const FLUSH_LIMIT_MS = 2_000;

const sdk = await start();

/** Sends what is still held back. Never rejects; takes two seconds at most. */
export async function flushTelemetry(): Promise<void> {
  if (!sdk) return;
  const limit = Promise.withResolvers<void>();
  const timer = setTimeout(limit.resolve, FLUSH_LIMIT_MS);
  await Promise.race([sdk.shutdown().catch(() => undefined), limit.promise]);
  clearTimeout(timer);
}

async function start() {
  const traces = isAskedFor('TRACES');
  const metrics = isAskedFor('METRICS');
  if (process.env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true' || !(traces || metrics))
    return undefined;
  const [{ NodeSDK }, resources] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/resources'),
  ]);
  const { defaultResource, envDetector, resourceFromAttributes, serviceInstanceIdDetector } = resources;
  const started = new NodeSDK({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': 'callpass-cli' })),
    // Never those of the environment: the detector of processes sends the command line, which may hold a token or a subject.
    resourceDetectors: [serviceInstanceIdDetector, envDetector],
    ...(traces ? {} : { spanProcessors: [] }),
    ...(metrics ? {} : { metricReaders: [] }),
    logRecordProcessors: [],
    instrumentations: [],
  });
  started.start();
  return started;
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
