import { Delivery } from './delivery/delivery.ts';
import type { Telemetry, TelemetryProgram } from './telemetry.ts';
import { askedExports, destinationOf, unknownValues } from './variables.ts';

/**
 * Starts the OpenTelemetry SDK, configured by the standard OTEL_* variables only. Call it before the program creates its
 * instruments; tracers may be created earlier. If no variable enables an export, the SDK is not loaded, because loading it
 * takes longer than many commands. `scrape` enables metrics like `prometheus` in `OTEL_METRICS_EXPORTER`. Values that are not known
 * count as not set, and are reported by `follow`.
 */
export async function startTelemetry(
  program: TelemetryProgram,
  { scrape = false }: { scrape?: boolean } = {},
): Promise<Telemetry> {
  const unknown = unknownValues();
  const { disabled, otlp, prometheus } = askedExports(process.env);
  const scraped = (scrape || prometheus) && !disabled;
  const destinations = otlp.map((signal) => ({ signal, ...destinationOf(signal, process.env) }));
  const delivery = new Delivery(destinations, unknown);
  if (destinations.length === 0 && !scraped) {
    return {
      metricsText: undefined,
      follow: (log) => delivery.follow(log),
      stop: () => Promise.resolve(delivery.stop()),
    };
  }
  const { startSdk } = await import('./start-sdk.ts');
  return startSdk({ program, scraped, destinations, delivery });
}

/** Gets the address for Prometheus from the standard variables, or `undefined` if they do not enable it. */
export function prometheusAddress(): string | undefined {
  unknownValues();
  if (!askedExports(process.env).prometheus) return undefined;
  const host = process.env['OTEL_EXPORTER_PROMETHEUS_HOST']?.trim() || '127.0.0.1';
  return `${host}:${process.env['OTEL_EXPORTER_PROMETHEUS_PORT']?.trim() || '9464'}`;
}
