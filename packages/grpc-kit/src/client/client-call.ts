import type { DescMethod } from '@bufbuild/protobuf';
import type { Metadata } from '@grpc/grpc-js';

/** What a caller may say about one call. */
export interface CallOptions {
  /** Cancels the call when it aborts. */
  readonly signal?: AbortSignal;
  /** Time limit in ms from the start of the call; the connection's default when absent, Infinity for none. */
  readonly timeoutMs?: number;
  /** Metadata to send; copied, so one object may serve many calls. */
  readonly metadata?: Metadata;
  /** Gets the response header when it arrives. */
  readonly onHeader?: (header: Metadata) => void;
  /** Gets the trailer of a call that ended with OK or an error from the wire. */
  readonly onTrailer?: (trailer: Metadata) => void;
}

/** One call of any kind, as client interceptors see it. */
export interface ClientCall {
  /** Descriptor of the method that is called. */
  readonly method: DescMethod;
  /** `pkg.Service/Method`. */
  readonly methodName: string;
  /** What will be sent; interceptors may add to it before `next`. */
  readonly metadata: Metadata;
  /** When the call ends at the latest; undefined for one without limit. */
  readonly deadline: Date | undefined;
  /** The caller's signal, where there is one. */
  readonly signal: AbortSignal | undefined;
  /** Address of the server that took the call; undefined before `next` and when no server was reached. */
  readonly peer: string | undefined;
}

/**
 * Wraps a whole call of any kind: `next` starts it and ends with it. It rejects with an {@link RpcError}, also with
 * CANCELLED when the caller leaves a stream early; otherwise it rejects with what the caller's own requests threw.
 * It must be called once, or not at all by an interceptor that throws.
 */
export type ClientInterceptor = (call: ClientCall, next: () => Promise<void>) => Promise<void>;

/** Puts interceptors round the start of calls, the first outermost. */
export function composeClient(
  interceptors: readonly ClientInterceptor[],
): (call: ClientCall, start: () => Promise<void>) => Promise<void> {
  return interceptors.reduceRight<(call: ClientCall, start: () => Promise<void>) => Promise<void>>(
    (next, interceptor) => async (call, start) => interceptor(call, () => next(call, start)),
    (_call, start) => start(),
  );
}
