import type { KitServerCall, ServerCall } from './server-call.ts';

/**
 * Wraps a whole call of any kind. `next` runs the inner interceptors and the handler, and resolves when the handler has
 * ended: for streams, after the last response was taken. The status and a unary response are sent after the outermost
 * interceptor has ended. An interceptor that throws, before or after `next`, fails the call. `next` rejects with an RpcError
 * only, which is the one to be sent. An interceptor must call `next` once, or throw.
 */
export type ServerInterceptor = (call: ServerCall, next: () => Promise<void>) => Promise<void>;

/** Runs one call from the outermost interceptor to the handler; rejects with an RpcError only. */
export type RunCall = (call: KitServerCall) => Promise<void>;

/** Wraps a handler in interceptors, the first outermost. */
export function compose(interceptors: readonly ServerInterceptor[], innermost: RunCall): RunCall {
  const guarded: RunCall = async (call) => {
    try {
      if (call.handled) throw new TypeError('an interceptor called next twice');
      call.handled = true;
      await innermost(call);
    } catch (error) {
      throw call.fail(error);
    }
  };
  return interceptors.reduceRight<RunCall>(
    (next, interceptor) => (call) => {
      // Runs on every call: an interceptor that only returns the promise of `next` adds no promise of its own.
      let inner: Promise<void> | undefined;
      try {
        const outer = interceptor(call, () => (inner = next(call)));
        return outer === inner ? outer : failingAs(call, outer);
      } catch (error) {
        return Promise.reject(call.fail(error));
      }
    },
    guarded,
  );
}

function failingAs(call: KitServerCall, outer: Promise<void>): Promise<void> {
  return Promise.resolve(outer).catch((error: unknown) => {
    throw call.fail(error);
  });
}
