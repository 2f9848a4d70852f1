export {
  prometheusAddress,
  startTelemetry,
  type Telemetry,
  type TelemetryProgram,
} from './start-telemetry.ts';
export {
  startTelemetryPort,
  type Readiness,
  type TelemetryPort,
  type TelemetryPortSources,
} from './telemetry-port.ts';
