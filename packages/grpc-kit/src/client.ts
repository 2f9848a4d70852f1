// For programs that only call: without the server's part, and without the validation of messages and its packages.
export { LONGEST_TIMEOUT_MS } from './longest-timeout.ts';
export {
  detail,
  type ErrorCode,
  RpcError,
  type RpcErrorDetail,
  type RpcErrorOptions,
} from './error/rpc-error.ts';
export { RequestEncodingError } from './error/request-encoding-error.ts';
export { type Client, type ClientMethod, createClient } from './client/create-client.ts';
export { isLoopbackHost } from './client/loopback.ts';
export { connect, type Connection, type ConnectOptions } from './client/connection.ts';
export type { CallOptions, ClientCall, ClientInterceptor } from './client/client-call.ts';
export { methodName, methodPath } from './codec/codec.ts';
