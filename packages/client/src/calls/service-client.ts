import type {
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  Message,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import {
  createClient,
  LONGEST_TIMEOUT_MS,
  RpcError,
  type CallOptions as KitCallOptions,
} from '@callpass/grpc-kit/client';
import { Metadata, status } from '@grpc/grpc-js';
import { assertTimeout, connectTo, type Connection, type ConnectOptions } from '../connection/connect.ts';
import { toCallpassError } from '../errors/from-status.ts';
import { cancelledError, closedError } from '../errors/of-the-client.ts';
import type { Attempt } from './coalescer.ts';
import { firstAnswer } from './hedge.ts';
import type { ClientInterceptor } from './interceptor.ts';
import { repeatability } from './repeatable.ts';
import { withJson } from './with-json.ts';

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
  /** Metadata to send with each attempt, such as `{ 'x-tenant': 'north' }`. A call with it has an RPC of its own. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /**
   * Wrap each attempt of the call, the first outermost: they may read and add metadata, and see how it ends, before its status
   * becomes a {@link CallpassError}. A call with them has an RPC of its own.
   */
  readonly interceptors?: readonly ClientInterceptor[] | undefined;
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
  const { connection, close } = connectTo(target);
  const kit = createClient(service, connection.channel) as unknown as Record<string, unknown>;
  const unary = service.methods.filter(({ methodKind }) => methodKind === 'unary');
  const attempts: Attempts = Object.fromEntries(
    unary.map((method) => {
      const isHedged = hedges ? repeatability(method) : () => false;
      return [method.localName, attemptOf(connection, isHedged, kit[method.localName] as KitUnaryCall)];
    }),
  );
  const sharing = coalesced(attempts, connection);
  const client: Record<string, unknown> = { close };
  for (const method of service.methods) {
    const call = kit[method.localName];
    const alone = attempts[method.localName];
    if (alone !== undefined)
      client[method.localName] = unaryCall(connection, method, {
        alone,
        usual: sharing[method.localName] ?? alone,
      });
    if (method.methodKind === 'server_streaming')
      client[method.localName] = streamCall(connection, method, call as KitStreamCall);
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
      throw errorOf(error, connection, options.signal);
    }
  };
  return (request, { timeoutMs, signal, metadata, interceptors, calls = 1 }) => {
    const sent = sendingOptions({ signal, metadata, interceptors });
    const afterMs = retries.hedgeAfterMs;
    if (afterMs >= timeoutMs || !isHedged(request)) return send(request, { timeoutMs, ...sent });
    const endMs = performance.now() + timeoutMs;
    return firstAnswer(
      (onStart) => send(request, { timeoutMs: Math.max(1, endMs - performance.now()), ...sent, onStart }),
      { afterMs, allowed: () => retries.takeHedge(calls) },
    );
  };
}

function unaryCall(
  connection: Connection,
  method: DescMethod,
  attempts: { readonly alone: Attempt<unknown, unknown>; readonly usual: Attempt<unknown, unknown> },
) {
  const isRepeatable = repeatability(method);
  return async (
    request: unknown,
    { timeoutMs = connection.defaultTimeoutMs, signal, coalesce, metadata, interceptors }: CallOptions = {},
  ) => {
    assertTimeout('timeoutMs', timeoutMs);
    const isAlone = coalesce === false || metadata !== undefined || interceptors !== undefined;
    const attempt = isAlone ? attempts.alone : attempts.usual;
    const answer = await connection.retries.run({
      attempt: (remainingMs) => attempt(request, { timeoutMs: remainingMs, signal, metadata, interceptors }),
      repeatable: isRepeatable(request),
      timeoutMs: Math.min(timeoutMs, LONGEST_TIMEOUT_MS),
      signal,
    });
    return withJson(method.output, answer as Message);
  };
}

function streamCall(connection: Connection, method: DescMethod, call: KitStreamCall) {
  return async function* (request: unknown, { timeoutMs, ...given }: CallOptions = {}) {
    if (timeoutMs !== undefined) assertTimeout('timeoutMs', timeoutMs);
    if (connection.closed) throw closedError();
    try {
      const options = { timeoutMs: timeoutMs ?? Infinity, ...sendingOptions(given) };
      const answers = call(request, options);
      for await (const answer of answers) yield withJson(method.output, answer as Message);
    } catch (error) {
      throw errorOf(error, connection, given.signal);
    }
  };
}

function sendingOptions({ signal, metadata, interceptors }: CallOptions): KitCallOptions {
  if (metadata === undefined && interceptors === undefined) return signal ? { signal } : {};
  return {
    ...(signal && { signal }),
    ...(metadata && { metadata: metadataOf(metadata) }),
    ...(interceptors && { interceptors }),
  };
}

function metadataOf(values: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(values)) metadata.set(name, value);
  return metadata;
}

/** The cause of a call that its caller has given up is the caller's reason, whatever that is. */
function errorOf(error: unknown, { address }: Connection, signal: AbortSignal | undefined): unknown {
  if (!(error instanceof RpcError)) return error;
  if (error.code !== status.CANCELLED || !signal?.aborted) return toCallpassError(error, address);
  return cancelledError(signal.reason);
}
