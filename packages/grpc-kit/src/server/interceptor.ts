import type { KitServerCall, ServerCall } from './server-call.ts';

/**
 * Wraps a whole call of any kind. `next` runs what is inside and ends when the handler is done: for streams, when the
 * last answer was taken; the status is sent after the outermost interceptor has ended, and so is a unary answer. An
 * interceptor that throws, before or after `next`, fails the call. `next` rejects with an RpcError only, the one that
 * is to be sent. It must be called once, or not at all by one that throws.
 */
export type ServerInterceptor = (call: ServerCall, next: () => Promise<void>) => Promise<void>;

/** Runs one call from the outermost interceptor to the handler; rejects with an RpcError only. */
export type RunCall = (call: KitServerCall) => Promise<void>;

/** Puts interceptors round a handler, the first outermost. */
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
      // On every call, so without a promise more than needed: what only hands on what `next` gave is handed on as it is.
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
