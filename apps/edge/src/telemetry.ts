import {
  prometheusAddress,
  startTelemetry,
  startTelemetryPort,
  type Readiness,
  type TelemetryPort,
} from '@callpass/telemetry-sdk';
import { SettingsError } from './settings/load.ts';

/** The SDK of this process; started here, before everything else is imported. */
export const telemetry = await startTelemetry({ name: 'callpass-edge', version: '0.1.0' });

/** Serves `/metrics` where `OTEL_METRICS_EXPORTER` asks for `prometheus`. Rejects with SettingsError when it cannot listen. */
export async function openTelemetryPort(readiness: () => Readiness): Promise<TelemetryPort | undefined> {
  const address = prometheusAddress();
  if (address === undefined) return undefined;
  return startTelemetryPort(address, { metrics: telemetry.metricsText, readiness }).catch(
    (error: unknown) => {
      const why = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw new SettingsError([`OTEL_EXPORTER_PROMETHEUS_PORT: cannot listen on ${address}: ${why}`]);
    },
  );
}
