import '@callpass/program/log-warnings';
import { buildOf } from '@callpass/program';
import { cannotListen } from '@callpass/program/settings';
import {
  prometheusAddress,
  startTelemetry,
  startTelemetryPort,
  type Readiness,
  type TelemetryPort,
} from '@callpass/telemetry-sdk';

/** The SDK of this process; it starts when this file is imported. */
export const telemetry = await startTelemetry({ name: 'callpass-edge', ...buildOf(import.meta.url) });

/** Serves `/metrics` where `OTEL_METRICS_EXPORTER` asks for `prometheus`. Rejects with SettingsError when it cannot listen. */
export async function openTelemetryPort(readiness: () => Readiness): Promise<TelemetryPort | undefined> {
  const address = prometheusAddress();
  if (address === undefined) return undefined;
  return startTelemetryPort(address, { metrics: telemetry.metricsText, readiness }).catch(
    (error: unknown) => {
      throw cannotListen('OTEL_EXPORTER_PROMETHEUS_PORT', address, error);
    },
  );
}
