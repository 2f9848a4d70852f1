import type {
  DescMethod,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { createClient, RpcError, type CallOptions as KitCallOptions } from '@callpass/grpc-kit';
import { status } from '@grpc/grpc-js';
import { assertTimeout, connect, type Connection, type ConnectOptions } from '../connection/connect.ts';
import { CallpassError } from '../errors/callpass-error.ts';
import { toCallpassError } from '../errors/from-status.ts';
import { repeatability } from './repeatable.ts';

/** What a caller may say about one call. */
export interface CallOptions {
  /** Time limit in ms for the call with all its attempts; the connection's when left out. */
  readonly timeoutMs?: number | undefined;
  /** Cancels the call when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** A function for each unary method of a service. Failures are {@link CallpassError}s. */
export type ServiceClient<D extends DescService> = {
  readonly [K in keyof D['method'] as D['method'][K] extends DescMethodUnary ? K : never]: UnaryCall<
    D['method'][K]
  >;
} & {
  /** Closes the connection that was opened for this client; one that it was given stays open. */
  close(): void;
};

type UnaryCall<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : never;

type KitCall = (request: unknown, options: KitCallOptions) => Promise<unknown>;

/** A client of one service on a connection of its own or on a shared one. */
export function createServiceClient<D extends DescService>(
  service: D,
  target: Connection | ConnectOptions,
): ServiceClient<D> {
  const shared = 'channel' in target;
  const connection = shared ? target : connect(target);
  const kit = createClient(service, connection.channel) as unknown as Record<string, KitCall>;
  const client: Record<string, unknown> = { close: () => shared || connection.close() };
  for (const method of service.methods) {
    if (method.methodKind !== 'unary') continue;
    const call = kit[method.localName];
    if (call) client[method.localName] = unaryCall(connection, repeatability(method), call);
  }
  return client as ServiceClient<D>;
}

function unaryCall(connection: Connection, isRepeatable: (request: unknown) => boolean, call: KitCall) {
  return async (request: unknown, { timeoutMs = connection.defaultTimeoutMs, signal }: CallOptions = {}) => {
    assertTimeout('timeoutMs', timeoutMs);
    return connection.retries.run({
      attempt: async (remainingMs) => {
        if (connection.closed) throw closedError();
        try {
          return await call(request, { timeoutMs: remainingMs, ...(signal && { signal }) });
        } catch (error) {
          throw error instanceof RpcError ? toCallpassError(error) : error;
        }
      },
      repeatable: isRepeatable(request),
      timeoutMs,
      signal,
    });
  };
}

function closedError(): CallpassError {
  return new CallpassError('the client is closed', { code: status.CANCELLED });
}
