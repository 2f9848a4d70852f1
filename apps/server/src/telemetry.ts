import { buildOf } from '@callpass/program';
import { cannotListen } from '@callpass/program/settings';
import {
  prometheusAddress,
  startTelemetry,
  startTelemetryPort,
  type Readiness,
  type Telemetry,
} from '@callpass/telemetry-sdk';
import type { Settings } from './settings/schema.ts';

/** The telemetry of a server. */
export interface ServerTelemetryParts {
  /**
   * Gives the address that the telemetry port is bound to, if there is one. Rejects with SettingsError when it cannot be.
   */
  open(readiness: () => Readiness): Promise<string | undefined>;
  /** See `Telemetry`. */
  readonly follow: Telemetry['follow'];
  /** Sends what is still held back and closes the port. */
  stop(): Promise<void>;
}

/**
 * Starts the SDK by the standard variables and the settings. Before the server, which makes its instruments at its start.
 */
export async function startServerTelemetry({
  telemetry: { address: asked },
}: Pick<Settings, 'telemetry'>): Promise<ServerTelemetryParts> {
  const address = asked ?? prometheusAddress();
  const sdk = await startTelemetry(
    { name: 'callpass-server', ...buildOf(import.meta.url) },
    { scrape: address !== undefined },
  );
  let port: Awaited<ReturnType<typeof startTelemetryPort>> | undefined;
  return {
    async open(readiness) {
      if (address === undefined) return undefined;
      port = await startTelemetryPort(address, { metrics: sdk.metricsText, readiness }).catch(
        (error: unknown) => {
          throw cannotListen('telemetry.address', address, error);
        },
      );
      return port.address;
    },
    follow: (log) => sdk.follow(log),
    async stop() {
      await port?.stop();
      await sdk.stop();
    },
  };
}
