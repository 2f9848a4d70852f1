/** Metadata of a call, as its interceptors see it. */
export interface CallMetadata {
  /** Values of a name, in the order in which they were added. */
  get(name: string): readonly (string | Uint8Array)[];
  /** Replaces the values of a name. */
  set(name: string, value: string): void;
  remove(name: string): void;
}

/** Call as its interceptors see it. */
export interface ClientCall {
  /** Name of the method as `pkg.Service/Method`. */
  readonly methodName: string;
  /** Metadata that will be sent. Interceptors may change it before `next`. */
  readonly metadata: CallMetadata;
  /** Deadline of the attempt; undefined for a stream without limit. */
  readonly deadline: Date | undefined;
  /** Address of the server; undefined before `next` and if no server was reached. */
  readonly peer: string | undefined;
}

/**
 * Wraps one attempt of a call. `next` makes it, and settles at its end; its rejection has the gRPC status as `code`. An interceptor
 * must call `next` once, or throw: what it throws is the error of the call.
 *
 * @example
 * ```ts
 * const tenant: ClientInterceptor = async (call, next) => {
 *   call.metadata.set('x-tenant', 'north');
 *   await next();
 * };
 * await client.validateToken({ realm, token }, { interceptors: [tenant] });
 * ```
 */
export type ClientInterceptor = (call: ClientCall, next: () => Promise<void>) => Promise<void>;
