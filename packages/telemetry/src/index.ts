export { serverTelemetry, type ObservedServerCall, type ServerTelemetry } from './server-telemetry.ts';
export { clientTelemetry, type ClientTelemetry, type ObservedClientCall } from './client-telemetry.ts';
export {
  httpTelemetry,
  type HttpExchange,
  type HttpTelemetry,
  type HttpTelemetryOptions,
  type ObservedHttpRequest,
} from './http-telemetry.ts';
export { type CallTelemetryOptions } from './call-telemetry.ts';
export { type ReadableMetadata, type WritableMetadata } from './metadata-carrier.ts';
export {
  isRecording,
  setSpanAttributes,
  traceId,
  withSpan,
  type ChildSpanName,
  type SpanAttributes,
} from './span.ts';
export { isClientFault, isServerFault } from './rpc-status.ts';
export { createInstruments, type Cell, type Instruments, type Reading, type Tally } from './instruments.ts';
export * from './metric-table.ts';
export * from './names.ts';
