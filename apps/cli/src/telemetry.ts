// Starts the OpenTelemetry SDK by the standard OTEL_* variables, and loads it only where one of them asks for exports: it
// costs more start-up time than the rest of the program.

const ASKING = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
  'OTEL_TRACES_EXPORTER',
  'OTEL_METRICS_EXPORTER',
];

const FLUSH_LIMIT_MS = 2_000;

const asked = ASKING.some((name) => ![undefined, '', 'none'].includes(process.env[name]));
const sdk = asked ? await startSdk() : undefined;

async function startSdk() {
  const { env } = process;
  env['OTEL_SERVICE_NAME'] ??= 'callpass-cli';
  env['OTEL_LOGS_EXPORTER'] ??= 'none';
  // Without the detector of processes: it would send the command line, which may hold a token or a subject.
  env['OTEL_NODE_RESOURCE_DETECTORS'] = 'env,host,os';
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const started = new NodeSDK({ instrumentations: [] });
  started.start();
  return started;
}

/** Sends what is still held back. Gives up after two seconds: a collector that is away must not hold up the command. */
export async function flushTelemetry(): Promise<void> {
  if (!sdk) return;
  const { promise: limit, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, FLUSH_LIMIT_MS);
  await Promise.race([sdk.shutdown().catch(() => undefined), limit]);
  clearTimeout(timer);
}
