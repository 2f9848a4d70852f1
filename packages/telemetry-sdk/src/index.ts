export { prometheusAddress, startTelemetry } from './start-telemetry.ts';
export { type Telemetry, type TelemetryProgram } from './telemetry.ts';
export {
  startTelemetryPort,
  type Readiness,
  type TelemetryPort,
  type TelemetryPortSources,
} from './telemetry-port.ts';
export { checkTelemetry } from './check-telemetry.ts';
export { unknownValues, type UnknownValue } from './variables.ts';
