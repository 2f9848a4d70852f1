export * from './client.ts';
export { addService, type ServiceOptions } from './server/add-service.ts';
export type {
  BidiHandler,
  ClientStreamHandler,
  Handler,
  Handlers,
  ServerStreamHandler,
  UnaryHandler,
} from './server/handlers.ts';
export type { Next, ServerInterceptor } from './server/interceptor.ts';
export {
  type CallHead,
  type PreparedRefusal,
  prepareRefusal,
  refuseCall,
  type CallScreen,
  screenCalls,
} from './server/screen-calls.ts';
export { checkHead, type HeadBounds, HEADER_OVERHEAD_BYTES, type HeadFault } from './server/request-head.ts';
export { type AllowedCheck } from './server/while-allowed.ts';
export { type BodyBounds, type BodyFault, RequestBody } from './server/request-body.ts';
export { completeStatuses } from './server/complete-statuses.ts';
export {
  type GrpcServerCall,
  type MapError,
  maskUnknownErrors,
  type RequestInspector,
  type ServerCall,
} from './server/server-call.ts';
export { http2ServersOf, sessionOf, setSessionOptions, sharePorts } from './server/grpc-js-internals.ts';
export { type CallKey, type CallState, createCallKey } from './server/call-state.ts';
export { hasCompiledRules, satisfiesCompiledRules } from './validation/compiled-rules.ts';
export { assertValid, findViolations, validation, warmUp } from './validation/validation.ts';
export {
  assertEveryMethodHasRow,
  defineMethods,
  type MethodRows,
  type MethodsTable,
} from './methods/methods-table.ts';
export { createHealth, type HealthReporter, type HealthStatus } from './health/health.ts';
export { addReflection } from './reflection/reflection.ts';
export { EncodedMessage } from './codec/codec.ts';
