export { startTelemetry, type Telemetry, type TelemetryProgram } from './start-telemetry.ts';
