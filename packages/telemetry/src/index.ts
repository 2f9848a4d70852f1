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
  addSpanEvent,
  isRecording,
  setSpanAttributes,
  traceId,
  withSpan,
  withStep,
  type ChildSpanName,
  type SpanAttributes,
  type StepSpan,
} from './span.ts';
export { hasUntrustedParent, withUntrustedParent } from './untrusted-parent.ts';
export { transportFaultOf, type TransportFault } from './transport-fault.ts';
export { isClientFault, isServerFault } from './rpc-status.ts';
export { createInstruments, type Cell, type Instruments, type Reading, type Tally } from './instruments.ts';
export { type GroupCommit } from './group-commit.ts';
export * from './label-values.ts';
export * from './metric-table.ts';
export * from './names.ts';
export { startCoalescedSpan, withSharedCall, type CoalescedSpan } from './shared-call.ts';
