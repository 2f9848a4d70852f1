// Starts the OpenTelemetry SDK, configured by the standard OTEL_* variables only. Imported before everything else, so that
// tracers and meters are real from their first use.
import { NodeSDK } from '@opentelemetry/sdk-node';

/** Without one of these nothing is exported: a server that nobody asked for telemetry should not look for a collector. */
const EXPORT_SETTINGS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
  'OTEL_TRACES_EXPORTER',
  'OTEL_METRICS_EXPORTER',
];

const FLUSH_LIMIT_MS = 2000;

process.env['OTEL_SERVICE_NAME'] ??= 'callpass-server';
for (const signal of ['TRACES', 'METRICS', 'LOGS']) {
  const asked = EXPORT_SETTINGS.some((name) => process.env[name]) && signal !== 'LOGS';
  if (!asked) process.env[`OTEL_${signal}_EXPORTER`] ??= 'none';
}

const sdk = new NodeSDK({ instrumentations: [] });
sdk.start();

/** Sends what is still held back. Gives up after two seconds: a collector that is away must not keep the server alive. */
export async function flushTelemetry(): Promise<void> {
  const limit = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_LIMIT_MS).unref());
  await Promise.race([sdk.shutdown().catch(() => undefined), limit]);
}
