import type { Readable, Writable } from 'node:stream';
import type { DescMessage, DescMethod, Message, MessageInitShape } from '@bufbuild/protobuf';
import {
  type CallOptions as GrpcCallOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type Metadata,
  type ServiceError,
  status,
  type StatusObject,
} from '@grpc/grpc-js';
import { LONGEST_TIMEOUT_MS } from '../longest-timeout.ts';
import { decode, encode, methodName, methodPath, passThrough } from '../codec/codec.ts';
import { RequestEncodingError } from '../error/request-encoding-error.ts';
import { RpcError } from '../error/rpc-error.ts';
import { fromServiceError } from '../error/status-details.ts';
import { type CallOptions, type ClientCall, composeClient } from './client-call.ts';
import { type Connection, ownMetadata } from './connection.ts';
import { sendAll } from './send-all.ts';

type Init = MessageInitShape<DescMessage>;
type GrpcCall =
  | ClientUnaryCall
  | ClientReadableStream<Buffer>
  | ClientWritableStream<Buffer>
  | ClientDuplexStream<Buffer, Buffer>;

/** @internal Properties that all calls of one method share. */
export interface CallsOf {
  readonly connection: Connection;
  readonly method: DescMethod;
  readonly run: (call: ClientCall, start: () => Promise<void>) => Promise<void>;
}

/** The start of a call within its own interceptors. */
function within(interceptors: CallOptions['interceptors'], call: ClientCall, start: () => Promise<void>) {
  return interceptors === undefined ? start : () => composeClient(interceptors)(call, start);
}

/** `Infinity` is no limit and stays. */
function timerSafe(timeoutMs: number): number {
  return timeoutMs === Infinity ? Infinity : Math.min(timeoutMs, LONGEST_TIMEOUT_MS);
}

class KitClientCall implements ClientCall {
  readonly method: DescMethod;
  readonly methodName: string;
  readonly metadata: Metadata;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  readonly #options: CallOptions;
  #grpcCall: GrpcCall | undefined;

  constructor({ method, connection }: CallsOf, options: CallOptions) {
    this.method = method;
    this.methodName = methodName(method);
    this.metadata = ownMetadata(options.metadata);
    this.deadlineMs = Date.now() + timerSafe(options.timeoutMs ?? connection.defaultDeadlineMs);
    this.signal = options.signal;
    this.#options = options;
  }

  get deadline(): Date | undefined {
    return Number.isFinite(this.deadlineMs) ? new Date(this.deadlineMs) : undefined;
  }

  get peer(): string | undefined {
    const peer = this.#grpcCall?.getPeer();
    return peer === 'unknown' ? undefined : peer;
  }

  grpcOptions(): GrpcCallOptions {
    return { deadline: this.deadlineMs };
  }

  /** Connects the caller's signal and listeners to the call. Returns a function that disconnects the signal. */
  attach(grpcCall: GrpcCall): () => void {
    const { signal } = this;
    const { onStart, onHeader, onTrailer } = this.#options;
    this.#grpcCall = grpcCall;
    onStart?.(() => grpcCall.cancel());
    if (onHeader) grpcCall.on('metadata', onHeader);
    if (onTrailer) grpcCall.on('status', (ended: StatusObject) => onTrailer(ended.metadata));
    if (signal === undefined) return () => {};
    const cancel = () => grpcCall.cancel();
    // It may have aborted while the call was opened; then there is no further event.
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    return () => signal.removeEventListener('abort', cancel);
  }

  /** Starts the call in grpc-js. Throws CANCELLED if the signal has aborted, UNAVAILABLE if the channel is closed. */
  open<C extends GrpcCall>(start: () => C): C {
    if (this.signal?.aborted)
      throw new RpcError(status.CANCELLED, 'the call was cancelled', this.#abortCause());
    try {
      return start();
    } catch (cause) {
      throw new RpcError(status.UNAVAILABLE, 'the call cannot be started', { cause });
    }
  }

  toError(error: unknown): unknown {
    if (!isServiceError(error)) return error;
    return fromServiceError(error, this.#abortCause().cause);
  }

  read(bytes: Buffer): Message {
    try {
      return decode(this.method.output, bytes);
    } catch (cause) {
      throw new RpcError(status.INTERNAL, 'the response message cannot be decoded', { cause });
    }
  }

  #abortCause(): { cause?: unknown } {
    return this.signal?.aborted ? { cause: this.signal.reason } : {};
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

function encodeRequest(method: DescMethod, request: Init): Buffer {
  try {
    return encode(method.input, request);
  } catch (cause) {
    throw new RequestEncodingError(cause);
  }
}

/** @internal Creates the function for calls with one response: unary and client streaming. */
export function callForAnswer(of: CallsOf) {
  const { connection, method, run } = of;
  const path = methodPath(method);
  const streams = method.methodKind === 'client_streaming';
  return async (request: Init | AsyncIterable<Init>, options: CallOptions = {}): Promise<Message> => {
    const call = new KitClientCall(of, options);
    const bytes = streams ? undefined : encodeRequest(method, request as Init);
    let response: Buffer | undefined;
    const start = () =>
      new Promise<void>((resolve, reject) => {
        const { grpcClient } = connection;
        const onEnd = (error: ServiceError | null, value?: Buffer) => {
          detach();
          sending?.stop();
          if (error) {
            // The error of the caller's requests may be any value and is passed on unchanged.
            // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
            return reject(sending?.failure ? sending.failure.error : call.toError(error));
          }
          response = value;
          resolve();
        };
        const args = [path, passThrough, passThrough] as const;
        const grpcCall = call.open(() =>
          bytes === undefined
            ? grpcClient.makeClientStreamRequest(...args, call.metadata, call.grpcOptions(), onEnd)
            : grpcClient.makeUnaryRequest(...args, bytes, call.metadata, call.grpcOptions(), onEnd),
        );
        const detach = call.attach(grpcCall);
        const sending =
          bytes === undefined
            ? sendAll(method.input, request as AsyncIterable<Init>, grpcCall as ClientWritableStream<Buffer>)
            : undefined;
      });
    await run(call, within(options.interceptors, call, start));
    if (response === undefined) throw new TypeError(`an interceptor of ${call.methodName} did not call next`);
    return call.read(response);
  };
}

/** @internal Creates the function for calls with a response stream: server streaming and bidi. */
export function callForStream(of: CallsOf) {
  const { connection, method, run } = of;
  const path = methodPath(method);
  const streams = method.methodKind === 'bidi_streaming';
  return async function* (request: Init | AsyncIterable<Init>, options: CallOptions = {}) {
    const call = new KitClientCall(of, options);
    const bytes = streams ? undefined : encodeRequest(method, request as Init);
    const open = (): ClientReadableStream<Buffer> => {
      const { grpcClient } = connection;
      const args = [path, passThrough, passThrough] as const;
      return bytes === undefined
        ? grpcClient.makeBidiStreamRequest(...args, call.metadata, call.grpcOptions())
        : grpcClient.makeServerStreamRequest(...args, bytes, call.metadata, call.grpcOptions());
    };
    const opened = Promise.withResolvers<ClientReadableStream<Buffer>>();
    const closed = Promise.withResolvers<void>();
    closed.promise.catch(() => {});
    const start = async () => {
      opened.resolve(call.open(open));
      await closed.promise;
    };
    const finished = run(call, within(options.interceptors, call, start));
    finished.then(
      () => opened.reject(new TypeError(`an interceptor of ${call.methodName} did not call next`)),
      (error: unknown) => opened.reject(error),
    );

    const stream = await opened.promise;
    const detach = call.attach(stream);
    // After the loop has ended, grpc-js reports the cancellation as an error event, which needs a listener.
    stream.on('error', () => {});
    const sending = streams
      ? sendAll(method.input, request as AsyncIterable<Init>, stream as unknown as Writable & GrpcCall)
      : undefined;
    try {
      for await (const chunk of stream as Readable) yield call.read(chunk as Buffer);
      closed.resolve();
    } catch (error) {
      closed.reject(sending?.failure ? sending.failure.error : call.toError(error));
    } finally {
      detach();
      sending?.stop();
      stream.cancel();
      // Has no effect unless the caller left the loop early.
      closed.reject(new RpcError(status.CANCELLED, 'the caller left the stream'));
      await finished.catch(() => {});
    }
    await finished;
  };
}
