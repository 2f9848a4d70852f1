import {
  PeriodicExportingMetricReader,
  type IMetricReader,
  type MetricProducer,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { numberIn, type Environment } from './variables.ts';

/**
 * Creates the reader that sends metrics to a collector at the interval of the standard variables.
 *
 * @param metricProducers collected beside the SDK's own.
 */
export function createPushReader(
  exporter: PushMetricExporter,
  metricProducers: MetricProducer[] = [],
  environment: Environment = process.env,
): IMetricReader {
  const exportIntervalMillis = numberIn(environment, 'OTEL_METRIC_EXPORT_INTERVAL', 60_000);
  return new PeriodicExportingMetricReader({
    exporter,
    metricProducers,
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(
      numberIn(environment, 'OTEL_METRIC_EXPORT_TIMEOUT', 30_000),
      exportIntervalMillis,
    ),
  });
}
