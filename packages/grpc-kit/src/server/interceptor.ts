import type { KitServerCall, ServerCall } from './server-call.ts';

/** Runs the inner interceptors and the handler of a call. */
export type Next = (call: ServerCall) => Promise<void>;

/**
 * Wraps a whole call of any kind. `next`, to be called once and with the same call, resolves when the handler has ended: for
 * streams, after the last response was taken. An interceptor that throws, before or after `next`, fails the call. The status
 * and a unary response are sent after the outermost interceptor has ended; use {@link ServerCall.onEnd} to see the status that
 * is sent. Every call pays for each promise that an interceptor adds, so most just return that of `next`.
 */
export type ServerInterceptor = (call: ServerCall, next: Next) => Promise<void>;

/** Runs one call from the outermost interceptor to the handler. */
export type RunCall = (call: KitServerCall) => Promise<void>;

/**
 * Wraps a handler in interceptors, the first outermost. Errors are mapped where they are thrown, since the mapper may read the
 * active span.
 */
export function compose(interceptors: readonly ServerInterceptor[], innermost: RunCall): RunCall {
  const once: RunCall = (call) => {
    if (call.handled) throw new TypeError('an interceptor called next twice');
    call.handled = true;
    return innermost(call);
  };
  return interceptors.reduceRight<RunCall>(
    (next, interceptor) => mapping((call) => interceptor(call, next as Next)),
    mapping(once),
  );
}

function mapping(run: RunCall): RunCall {
  return (call) => {
    try {
      const running = run(call);
      // Runs on every call: a handler that was reached maps its own errors.
      return call.handled ? running : mapRejection(call, running);
    } catch (error) {
      throw call.fail(error);
    }
  };
}

/** Maps the error that a promise rejects with. */
export function mapRejection(call: KitServerCall, running: Promise<void>): Promise<void> {
  return running.catch((error: unknown) => {
    throw call.fail(error);
  });
}
