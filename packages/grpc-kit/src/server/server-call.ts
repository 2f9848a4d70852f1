import type { EventEmitter } from 'node:events';
import type { DescMessage, DescMethod, Message } from '@bufbuild/protobuf';
import { Metadata, type ServerDuplexStream, type ServerReadableStream, status } from '@grpc/grpc-js';
import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { RpcError } from '../error/rpc-error.ts';
import { CallState } from './call-state.ts';

/** The call as grpc-js sees it, of any kind. */
export type GrpcServerCall =
  | ServerUnaryCall<Buffer, Buffer>
  | ServerReadableStream<Buffer, Buffer>
  | ServerWritableStream<Buffer, Buffer>
  | ServerDuplexStream<Buffer, Buffer>;

/** Looks at a decoded request message before the handler has it; throws to refuse it. */
export type RequestInspector = (schema: DescMessage, message: Message) => void;

/** One call of any kind, as interceptors and handlers see it. */
export interface ServerCall {
  /** Descriptor of the method that is called. */
  readonly method: DescMethod;
  /** `pkg.Service/Method`. */
  readonly methodName: string;
  /** The client's metadata; untrusted. */
  readonly metadata: Metadata;
  /** Address and port of the other end of the connection, which may be a proxy. */
  readonly peer: string;
  /** When the client stops waiting; undefined when it set no limit. */
  readonly deadline: Date | undefined;
  /** Aborts when the client cancels, goes away, or the deadline passes; the reason is an {@link RpcError}. */
  readonly signal: AbortSignal;
  /** Whether {@link signal} has aborted or would have. Cheaper than the signal, which is made when first asked for. */
  readonly cancelled: boolean;
  /** Values that interceptors hand to each other and to the handler. */
  readonly state: CallState;
  /** The call of grpc-js, for what is not here, such as `getAuthContext()` with the peer's certificate. */
  readonly grpcCall: GrpcServerCall;
  /** Sends the response header now. Only the first header counts, and none after a message was sent. */
  sendHeader(header: Metadata): void;
  /** Adds a trailer that goes with the status, whether OK or error. */
  setTrailer(key: string, value: string | Buffer): void;
  /** Has each request message looked at, after decoding and before the handler; in the order of registration. */
  onRequest(inspector: RequestInspector): void;
}

/**
 * What an error becomes on the wire. Gets every error that leaves a handler, an interceptor or the kit, {@link RpcError}
 * included, once each; must not throw. What it returns is sent as it is.
 */
export type MapError = (error: unknown, call: ServerCall) => RpcError;

/** Leaves an {@link RpcError} as it is; all else becomes INTERNAL with a fixed text, the error being the cause. */
export const maskUnknownErrors: MapError = (error) =>
  error instanceof RpcError ? error : new RpcError(status.INTERNAL, 'internal error', { cause: error });

/** @internal The kit's own side of a {@link ServerCall}. */
export class KitServerCall implements ServerCall {
  readonly method: DescMethod;
  readonly methodName: string;
  readonly grpcCall: GrpcServerCall;
  /** The encoded answer of a unary or client-streaming call. */
  response: Buffer | undefined;
  /** Whether the handler was reached. */
  handled = false;
  trailer: Metadata | undefined;
  readonly #mapError: MapError;
  #failure: RpcError | undefined;
  #inspectors: RequestInspector | undefined;
  #settled = false;
  #state: CallState | undefined;
  #abort: AbortController | undefined;

  constructor(of: { method: DescMethod; methodName: string; mapError: MapError }, grpcCall: GrpcServerCall) {
    this.method = of.method;
    this.methodName = of.methodName;
    this.#mapError = of.mapError;
    this.grpcCall = grpcCall;
  }

  get metadata(): Metadata {
    return this.grpcCall.metadata;
  }

  get peer(): string {
    return this.grpcCall.getPeer();
  }

  get deadline(): Date | undefined {
    const deadline = this.grpcCall.getDeadline();
    if (deadline instanceof Date) return deadline;
    return Number.isFinite(deadline) ? new Date(deadline) : undefined;
  }

  get cancelled(): boolean {
    return !this.#settled && this.grpcCall.cancelled;
  }

  get state(): CallState {
    return (this.#state ??= new CallState());
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = (this.#abort = new AbortController());
      if (this.cancelled) abort.abort(this.cancellation());
      // grpc-js emits this at the end of every call, cancelled or not.
      else
        (this.grpcCall as EventEmitter).once(
          'cancelled',
          () => this.cancelled && abort.abort(this.cancellation()),
        );
    }
    return this.#abort.signal;
  }

  sendHeader(header: Metadata): void {
    this.grpcCall.sendMetadata(header);
  }

  setTrailer(key: string, value: string | Buffer): void {
    (this.trailer ??= new Metadata()).set(key, value);
  }

  onRequest(inspector: RequestInspector): void {
    const earlier = this.#inspectors;
    this.#inspectors = earlier
      ? (schema, message) => {
          earlier(schema, message);
          inspector(schema, message);
        }
      : inspector;
  }

  inspect(message: Message): void {
    this.#inspectors?.(this.method.input, message);
  }

  /** Why a cancelled call ended. */
  cancellation(): RpcError {
    const { deadline } = this;
    return deadline !== undefined && Date.now() >= deadline.getTime()
      ? new RpcError(status.DEADLINE_EXCEEDED, 'deadline exceeded')
      : new RpcError(status.CANCELLED, 'the call was cancelled');
  }

  /** Maps an error; one that was mapped already stays as it is. */
  fail(error: unknown): RpcError {
    if (error !== undefined && error === this.#failure) return this.#failure;
    let mapped: unknown;
    try {
      mapped = this.#mapError(error, this);
    } catch {
      // Falls through to the mask: a broken mapper must not let anything out.
    }
    return (this.#failure = mapped instanceof RpcError ? mapped : maskUnknownErrors(undefined, this));
  }

  /** Marks the end of the call; from here on nothing counts as a cancellation. Says whether it may still be answered. */
  settle(): boolean {
    const open = !this.grpcCall.cancelled;
    if (open) this.#settled = true;
    return open;
  }
}
