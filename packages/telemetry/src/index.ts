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
export {
  ATTR_CLIENT,
  ATTR_CONFIGURATION_REVISION,
  ATTR_DECISION,
  ATTR_DESTINATION,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_ISSUANCE_ID,
  ATTR_KEY_VERSION,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_REALM,
  ATTR_REASON,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_SCHEME,
  HTTP_METRIC_ATTRIBUTES,
  METRIC_ATTRIBUTES,
  METRIC_HTTP_SERVER_REQUEST_DURATION,
  METRIC_RPC_CLIENT_CALL_DURATION,
  METRIC_RPC_SERVER_CALL_DURATION,
  RPC_DURATION_BOUNDARIES,
  SCOPE_NAME,
  SPAN_ATTRIBUTES,
  type SpanAttributeName,
} from './names.ts';
