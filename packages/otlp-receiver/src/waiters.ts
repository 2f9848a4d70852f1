/** Promises that wait for a condition. */
export interface Waiters {
  /** Calls `ask` now and at every `wake`. Resolves with its first result that is neither `undefined` nor `false`. */
  wait<T>(ask: () => T | undefined | false, timeoutMs: number): Promise<T>;
  /** Checks all conditions again. */
  wake(): void;
  /** Rejects all present and future promises. */
  abandon(): void;
}

/** Creates a set of waiters that is driven by `wake`, without polling. */
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
        () => waiter.fail(new Error(`no match was received within ${timeoutMs} ms`)),
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
