import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { type CallOptions, composeClient } from './client-call.ts';
import { connect, type Connection, type ConnectOptions } from './connection.ts';
import { callForAnswer, callForStream } from './start-call.ts';

/** Function that calls a method, by its kind. */
export type ClientMethod<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? (requests: AsyncIterable<MessageInitShape<I>>, options?: CallOptions) => Promise<MessageShape<O>>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? (
              requests: AsyncIterable<MessageInitShape<I>>,
              options?: CallOptions,
            ) => AsyncIterable<MessageShape<O>>
          : never;

/**
 * Functions for all methods of a service. Failures are {@link RpcError}s.
 *
 * A call with a response stream starts when its iteration starts, and can be iterated once. Leaving the loop early cancels
 * the call. An error of the caller's own requests cancels the call and is thrown unchanged.
 */
export type Client<D extends DescService> = {
  readonly [K in keyof D['method']]: ClientMethod<D['method'][K]>;
} & {
  /** Closes a connection that `createClient` has opened. A shared connection stays open. */
  close(): void;
};

/** Creates a typed client of one service, with its own connection or a shared one from {@link connect}. */
export function createClient<D extends DescService>(
  service: D,
  target: Connection | ConnectOptions,
): Client<D> {
  const shared = 'grpcClient' in target;
  const connection = shared ? target : connect(target);
  const run = composeClient(connection.interceptors);
  const client: Record<string, unknown> = { close: () => shared || connection.close() };
  for (const method of service.methods) {
    const answers = method.methodKind === 'unary' || method.methodKind === 'client_streaming';
    const start = answers ? callForAnswer : callForStream;
    client[method.localName] = start({ connection, method, run });
  }
  return client as Client<D>;
}
