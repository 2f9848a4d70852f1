import type { DeliveryLog } from './delivery/delivery.ts';

/** Name and version of a program, for its telemetry. */
export interface TelemetryProgram {
  /** Default of `service.name`; OTEL_SERVICE_NAME overrides it. */
  readonly name: string;
  readonly version: string;
  /** Commit that it was made from, if known. */
  readonly commit?: string | undefined;
}

/** Telemetry of a program. The SDK may not be running, if no variable enables an export. */
export interface Telemetry {
  /** Collects the metrics in the text format of Prometheus; `undefined` if that is not enabled. */
  readonly metricsText: (() => Promise<string>) | undefined;
  /** Writes what is wrong with the telemetry to this log, now and from now on: unknown settings, and what is lost. */
  follow(log: DeliveryLog): void;
  /** Sends the remaining telemetry and stops. Does not reject; takes at most two seconds. */
  stop(): Promise<void>;
}
