import type { DescMethod } from '@bufbuild/protobuf';
import type { Metadata } from '@grpc/grpc-js';

/** Options of one call. */
export interface CallOptions {
  /** Signal that cancels the call. */
  readonly signal?: AbortSignal;
  /** Time limit in milliseconds from the start of the call. Default: the connection's. Infinity: none. Longer than 24.8 days counts as that. */
  readonly timeoutMs?: number;
  /** Metadata to send. It is copied, so one object may be used for many calls. */
  readonly metadata?: Metadata;
  /** Interceptors of this call, within those of the connection, the first outermost. Default: none. */
  readonly interceptors?: readonly ClientInterceptor[];
  /** Called when the call has been started, with what ends it with CANCELLED. */
  readonly onStart?: (cancel: () => void) => void;
  /** Called with the response header when it arrives. */
  readonly onHeader?: (header: Metadata) => void;
  /** Called with the trailer of a call that ended with a status from the server. */
  readonly onTrailer?: (trailer: Metadata) => void;
}

/** Call of any kind, for client interceptors. */
export interface ClientCall {
  /** Descriptor of the called method. */
  readonly method: DescMethod;
  /** Name of the method as `pkg.Service/Method`. */
  readonly methodName: string;
  /** Metadata that will be sent. Interceptors may add to it before `next`. */
  readonly metadata: Metadata;
  /** Deadline of the call; undefined for a call without limit. */
  readonly deadline: Date | undefined;
  /** Signal of the caller; undefined if there is none. */
  readonly signal: AbortSignal | undefined;
  /** Address of the server; undefined before `next` and if no server was reached. */
  readonly peer: string | undefined;
}

/**
 * Wraps a whole call of any kind. `next` starts the call and resolves at its end. It rejects with an {@link RpcError}, which
 * is CANCELLED if the caller leaves a stream early, or with the error of the caller's own requests. An interceptor must call
 * `next` once, or throw.
 */
export type ClientInterceptor = (call: ClientCall, next: () => Promise<void>) => Promise<void>;

/** Wraps the start of calls in interceptors, the first outermost. */
export function composeClient(
  interceptors: readonly ClientInterceptor[],
): (call: ClientCall, start: () => Promise<void>) => Promise<void> {
  return interceptors.reduceRight<(call: ClientCall, start: () => Promise<void>) => Promise<void>>(
    (next, interceptor) => async (call, start) => interceptor(call, () => next(call, start)),
    (_call, start) => start(),
  );
}
