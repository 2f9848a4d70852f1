import { traceIds } from './trace-ids.ts';

// Starts the OpenTelemetry SDK, configured by the standard OTEL_* variables only. Imported before everything else, so that
// tracers and meters are real from their first use. Where nobody asks for an export the SDK is not even loaded.

const SERVICE = { name: 'callpass-server', version: '0.1.0' };

/** A collector that is away or hangs must not keep the server from ending. */
const FLUSH_LIMIT_MS = 2000;

const sdk = await start();

/** Sends what is still held back and stops the SDK. Never rejects; takes two seconds at most. */
export async function stopTelemetry(): Promise<void> {
  if (sdk === undefined) return;
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
  const nodeSdk = new NodeSDK({
    resource: defaultResource().merge(
      resourceFromAttributes({ 'service.name': SERVICE.name, 'service.version': SERVICE.version }),
    ),
    // Not the default detectors: they send the command line. The environment comes last and wins.
    ...(process.env['OTEL_NODE_RESOURCE_DETECTORS']
      ? {}
      : { resourceDetectors: [serviceInstanceIdDetector, envDetector] }),
    ...(traces ? {} : { spanProcessors: [] }),
    ...(metrics ? {} : { metricReaders: [] }),
    logRecordProcessors: [],
    idGenerator: traceIds,
    instrumentations: [],
  });
  nodeSdk.start();
  return nodeSdk;
}

function isAskedFor(signal: 'TRACES' | 'METRICS'): boolean {
  const exporter = process.env[`OTEL_${signal}_EXPORTER`]?.trim();
  const names = [
    `OTEL_${signal}_EXPORTER`,
    `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`,
    'OTEL_EXPORTER_OTLP_ENDPOINT',
  ];
  return exporter !== 'none' && names.some((name) => (process.env[name]?.trim() ?? '') !== '');
}
