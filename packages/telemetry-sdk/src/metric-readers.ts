import {
  PeriodicExportingMetricReader,
  type IMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { ScrapeReader } from './scrape.ts';

/** Creates the metric readers for the variables and for Prometheus, which the SDK would serve on a separate port. */
export async function readersWithScrape(
  exporters: readonly string[],
): Promise<{ readers: IMetricReader[]; scrape: ScrapeReader }> {
  const scrape = new ScrapeReader();
  if (!exporters.includes('otlp')) return { readers: [scrape], scrape };
  const exportIntervalMillis = milliseconds('OTEL_METRIC_EXPORT_INTERVAL', 60_000);
  const otlp = new PeriodicExportingMetricReader({
    exporter: await otlpExporter(),
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(milliseconds('OTEL_METRIC_EXPORT_TIMEOUT', 30_000), exportIntervalMillis),
  });
  return { readers: [otlp, scrape], scrape };
}

async function otlpExporter(): Promise<PushMetricExporter> {
  const protocol =
    process.env['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL'] ?? process.env['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? '';
  switch (protocol.trim()) {
    case 'grpc': {
      const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-grpc');
      return new OTLPMetricExporter();
    }
    case 'http/json': {
      const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-http');
      return new OTLPMetricExporter();
    }
    default: {
      const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-proto');
      return new OTLPMetricExporter();
    }
  }
}

function milliseconds(name: string, otherwise: number): number {
  const value = Number(process.env[name]);
  return value > 0 ? value : otherwise;
}
