import type { EventEmitter } from 'node:events';
import type { DescMessage, DescMethod, Message } from '@bufbuild/protobuf';
import { Metadata, type ServerDuplexStream, type ServerReadableStream, status } from '@grpc/grpc-js';
import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { RpcError } from '../error/rpc-error.ts';
import { CallState } from './call-state.ts';

/** Call of grpc-js, of any kind. */
export type GrpcServerCall =
  | ServerUnaryCall<Buffer, Buffer>
  | ServerReadableStream<Buffer, Buffer>
  | ServerWritableStream<Buffer, Buffer>
  | ServerDuplexStream<Buffer, Buffer>;

/** Inspects a decoded request message before the handler gets it. Throws to refuse it. */
export type RequestInspector = (schema: DescMessage, message: Message) => void;

/** Listener for the end of a call; see {@link ServerCall.onEnd}. */
export type EndListener = (error: RpcError | undefined) => void;

/** Call of any kind, for interceptors and handlers. */
export interface ServerCall {
  /** Descriptor of the called method. */
  readonly method: DescMethod;
  /** Name of the method as `pkg.Service/Method`. */
  readonly methodName: string;
  /** Metadata of the client; untrusted. */
  readonly metadata: Metadata;
  /** Address and port of the peer of the connection, which may be a proxy. */
  readonly peer: string;
  /** Deadline set by the client; undefined if it set none. */
  readonly deadline: Date | undefined;
  /**
   * Signal that aborts when the client cancels or disconnects, the deadline passes or the call is abandoned. The reason is an
   * {@link RpcError}.
   */
  readonly signal: AbortSignal;
  /** True after cancellation. Cheaper than {@link signal}, which is created on first use. */
  readonly cancelled: boolean;
  /** Values that interceptors pass to each other and to the handler. */
  readonly state: CallState;
  /** Call of grpc-js, for anything else, such as `getAuthContext()` with the peer's certificate. */
  readonly grpcCall: GrpcServerCall;
  /** Sends the response header now. Has no effect after a header or a message was sent. */
  sendHeader(header: Metadata): void;
  /** Sets a trailer, which is sent with the status, OK or error. */
  setTrailer(key: string, value: string | Buffer): void;
  /**
   * Registers a listener for the end of the call, just before its status is sent: the error that is sent, or undefined for OK.
   * The last one registered runs first. Must not throw.
   */
  onEnd(listener: EndListener): void;
  /** Ends the call with an error at once. What its handler has begun goes on, but nobody waits for it. */
  abandon(error: unknown): void;
  /** Registers an inspector that runs for each request message after decoding and before the handler, in order. */
  onRequest(inspector: RequestInspector): void;
}

/**
 * Maps an error to the one that is sent. Called once for every error of a handler, an interceptor or the kit, including
 * {@link RpcError}. Must not throw. Its result is sent unchanged.
 */
export type MapError = (error: unknown, call: ServerCall) => RpcError;

/** Keeps an {@link RpcError}. Maps any other error to INTERNAL with a fixed text and the error as cause. */
export const maskUnknownErrors: MapError = (error) =>
  error instanceof RpcError ? error : new RpcError(status.INTERNAL, 'internal error', { cause: error });

/** Says that requests are taken uncompressed only; grpc-js would say that it takes what is refused here. */
const ANSWER_HEADER = new Metadata();
ANSWER_HEADER.set('grpc-accept-encoding', 'identity');

/** @internal Implementation of {@link ServerCall}. */
export class KitServerCall implements ServerCall {
  readonly method: DescMethod;
  readonly methodName: string;
  readonly grpcCall: GrpcServerCall;
  /** Encoded response of a unary or client-streaming call. */
  response: Buffer | undefined;
  /** True once the handler was reached. */
  handled = false;
  trailer: Metadata | undefined;
  readonly #mapError: MapError;
  #failure: RpcError | undefined;
  #inspectors: RequestInspector | undefined;
  readonly #send: (call: KitServerCall, error: RpcError | undefined) => void;
  #endListeners: EndListener[] | undefined;
  #ended = false;
  #settled = false;
  #headerSent = false;
  #state: CallState | undefined;
  #abort: AbortController | undefined;

  /** @param send sends the status, with the response of a unary call. */
  constructor(
    of: { method: DescMethod; methodName: string; mapError: MapError },
    grpcCall: GrpcServerCall,
    send: (call: KitServerCall, error: RpcError | undefined) => void,
  ) {
    this.method = of.method;
    this.methodName = of.methodName;
    this.#mapError = of.mapError;
    this.grpcCall = grpcCall;
    this.#send = send;
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
      else if (this.#ended) abort.abort(this.#failure);
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
    const own = header.clone();
    own.merge(ANSWER_HEADER);
    this.#sendHeader(own);
  }

  /** Sends the header that each answer has, unless one was sent. */
  ensureHeader(): void {
    if (!this.#headerSent) this.#sendHeader(ANSWER_HEADER);
  }

  #sendHeader(header: Metadata): void {
    this.#headerSent = true;
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

  /** Creates the error of a cancelled call: DEADLINE_EXCEEDED or CANCELLED. */
  cancellation(): RpcError {
    const { deadline } = this;
    return deadline !== undefined && Date.now() >= deadline.getTime()
      ? new RpcError(status.DEADLINE_EXCEEDED, 'deadline exceeded')
      : new RpcError(status.CANCELLED, 'the call was cancelled');
  }

  /** Maps an error, unless it was mapped already. */
  fail(error: unknown): RpcError {
    if (error !== undefined && error === this.#failure) return this.#failure;
    let mapped: unknown;
    try {
      mapped = this.#mapError(error, this);
    } catch {
      // A broken mapper must not reveal anything: the error is masked below.
    }
    return (this.#failure = mapped instanceof RpcError ? mapped : maskUnknownErrors(undefined, this));
  }

  onEnd(listener: EndListener): void {
    (this.#endListeners ??= []).push(listener);
  }

  abandon(error: unknown): void {
    this.end(this.fail(error));
    // A stream's handler would go on for as long as its client likes.
    this.#abort?.abort(this.#failure);
  }

  /** Ends the call, once: reports the end and sends the status, unless the client has gone. */
  end(error: RpcError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const listeners = this.#endListeners;
    if (listeners !== undefined)
      for (let at = listeners.length - 1; at >= 0; at--) (listeners[at] as EndListener)(error);
    if (this.grpcCall.cancelled) return;
    // From now on nothing is a cancellation.
    this.#settled = true;
    this.#send(this, error);
  }
}
