import type {
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import {
  createClient,
  LONGEST_TIMEOUT_MS,
  RpcError,
  type CallOptions as KitCallOptions,
} from '@callpass/grpc-kit/client';
import { status } from '@grpc/grpc-js';
import { assertTimeout, connect, type Connection, type ConnectOptions } from '../connection/connect.ts';
import { CallpassError } from '../errors/callpass-error.ts';
import { toCallpassError } from '../errors/from-status.ts';
import type { Attempt } from './coalescer.ts';
import { firstAnswer } from './hedge.ts';
import { repeatability } from './repeatable.ts';

/**
 * Options of one call.
 *
 * @example
 * ```ts
 * await client.validateToken({ realm, token }, { timeoutMs: 500, signal: AbortSignal.timeout(300) });
 * ```
 */
export interface CallOptions {
  /** Time limit in ms for the call with all its attempts; the connection's when left out, none for a stream. More than 24.8 days count as that. */
  readonly timeoutMs?: number | undefined;
  /** Cancels the call when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** `false`: the call has an RPC of its own, also where the client coalesces. */
  readonly coalesce?: false | undefined;
}

/**
 * A function for each method of a service that takes one request. Failures are {@link CallpassError}s.
 *
 * An answer that is a stream starts when its iteration starts and is never started again by itself; leaving the loop early
 * cancels it.
 */
export type ServiceClient<D extends DescService> = {
  readonly [
    K in keyof D['method'] as D['method'][K] extends DescMethodUnary | DescMethodServerStreaming ? K : never
  ]: ServiceCall<D['method'][K]>;
} & {
  /** Closes the connection that was opened for this client; one that it was given stays open. */
  close(): void;
};

type ServiceCall<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : never;

/** @internal Attempts by the local names of unary methods. */
export type Attempts = Readonly<Record<string, Attempt<unknown, unknown>>>;

type KitUnaryCall = (request: unknown, options: KitCallOptions) => Promise<unknown>;
type KitStreamCall = (request: unknown, options: KitCallOptions) => AsyncIterable<unknown>;

/** Refinements of the attempts of a client. */
interface Refinements {
  /** Makes attempts that share RPCs, from those that have one each. */
  readonly coalesced?: (attempts: Attempts, connection: Connection) => Attempts;
  /** True: calls that may be repeated are hedged. Only for methods that are answered soon: a long one would be done twice. */
  readonly hedges?: boolean;
}

/** A client of one service on a connection of its own or on a shared one. */
export function createServiceClient<D extends DescService>(
  service: D,
  target: Connection | ConnectOptions,
  { coalesced = () => ({}), hedges = false }: Refinements = {},
): ServiceClient<D> {
  const shared = 'channel' in target;
  const connection = shared ? target : connect(target);
  const kit = createClient(service, connection.channel) as unknown as Record<string, unknown>;
  const unary = service.methods.filter(({ methodKind }) => methodKind === 'unary');
  const attempts: Attempts = Object.fromEntries(
    unary.map((method) => {
      const call = kit[method.localName] as KitUnaryCall;
      const isHedged = hedges ? repeatability(method) : () => false;
      return [method.localName, attemptOf(connection, isHedged, call)];
    }),
  );
  const sharing = coalesced(attempts, connection);
  const client: Record<string, unknown> = { close: () => shared || connection.close() };
  for (const method of service.methods) {
    const call = kit[method.localName];
    const alone = attempts[method.localName];
    if (alone !== undefined)
      client[method.localName] = unaryCall(connection, repeatability(method), {
        alone,
        usual: sharing[method.localName] ?? alone,
      });
    if (method.methodKind === 'server_streaming')
      client[method.localName] = streamCall(connection, call as KitStreamCall);
  }
  return client as ServiceClient<D>;
}

function attemptOf(
  connection: Connection,
  isHedged: (request: unknown) => boolean,
  call: KitUnaryCall,
): Attempt<unknown, unknown> {
  const { retries } = connection;
  const send = async (request: unknown, options: KitCallOptions) => {
    if (connection.closed) throw closedError();
    try {
      return await call(request, options);
    } catch (error) {
      throw error instanceof RpcError ? toCallpassError(error) : error;
    }
  };
  return (request, { timeoutMs, signal }) => {
    const aborts = signal && { signal };
    const afterMs = retries.hedgeAfterMs;
    if (afterMs >= timeoutMs || !isHedged(request)) return send(request, { timeoutMs, ...aborts });
    const endMs = performance.now() + timeoutMs;
    return firstAnswer(
      (onStart) => send(request, { timeoutMs: Math.max(1, endMs - performance.now()), ...aborts, onStart }),
      { afterMs, allowed: () => retries.takeHedge() },
    );
  };
}

function unaryCall(
  connection: Connection,
  isRepeatable: (request: unknown) => boolean,
  attempts: { readonly alone: Attempt<unknown, unknown>; readonly usual: Attempt<unknown, unknown> },
) {
  return async (
    request: unknown,
    { timeoutMs = connection.defaultTimeoutMs, signal, coalesce }: CallOptions = {},
  ) => {
    assertTimeout('timeoutMs', timeoutMs);
    const attempt = coalesce === false ? attempts.alone : attempts.usual;
    return connection.retries.run({
      attempt: (remainingMs) => attempt(request, { timeoutMs: remainingMs, signal }),
      repeatable: isRepeatable(request),
      timeoutMs: Math.min(timeoutMs, LONGEST_TIMEOUT_MS),
      signal,
    });
  };
}

function streamCall(connection: Connection, call: KitStreamCall) {
  return async function* (request: unknown, { timeoutMs, signal }: CallOptions = {}) {
    if (timeoutMs !== undefined) assertTimeout('timeoutMs', timeoutMs);
    if (connection.closed) throw closedError();
    try {
      yield* call(request, { timeoutMs: timeoutMs ?? Infinity, ...(signal && { signal }) });
    } catch (error) {
      throw error instanceof RpcError ? toCallpassError(error) : error;
    }
  };
}

function closedError(): CallpassError {
  return new CallpassError('the client is closed', { code: status.CANCELLED });
}
