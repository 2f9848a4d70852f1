/** Promises that are waiting for something to become true. */
export interface Waiters {
  /** Asks now and at every `wake`; resolves with the first answer that is neither `undefined` nor `false`. */
  wait<T>(ask: () => T | undefined | false, timeoutMs: number): Promise<T>;
  /** Has everything that waits ask again. */
  wake(): void;
  /** Rejects everything that waits, and whatever will. */
  abandon(): void;
}

/** A set of waiters, driven by `wake`: there is no polling. */
export function createWaiters(): Waiters {
  const waiting = new Set<{ check: () => void; fail: (error: Error) => void }>();
  let abandoned = false;

  return {
    wait<T>(ask: () => T | undefined | false, timeoutMs: number): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        waiting.delete(waiter);
        act();
      };
      const waiter = {
        check() {
          try {
            const answer = ask();
            if (answer !== undefined && answer !== false) settle(() => resolve(answer));
          } catch (error) {
            settle(() => reject(error));
          }
        },
        fail(error: Error) {
          settle(() => reject(error));
        },
      };
      const timer = setTimeout(
        () => waiter.fail(new Error(`nothing that fits was received within ${timeoutMs} ms`)),
        timeoutMs,
      );
      waiting.add(waiter);
      waiter.check();
      if (abandoned) waiter.fail(closed());
      return promise;
    },
    wake() {
      for (const waiter of [...waiting]) waiter.check();
    },
    abandon() {
      abandoned = true;
      for (const waiter of [...waiting]) waiter.fail(closed());
    },
  };
}

function closed(): Error {
  return new Error('the OTLP receiver is closed');
}
