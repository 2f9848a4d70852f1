import { setTimeout as pause } from 'node:timers/promises';

/** Check that a stream may go on, for {@link whileAllowed}. */
export interface AllowedCheck {
  /** Throws if the stream must end. */
  readonly check: () => Promise<void>;
  /** Interval of the checks while no request arrives, in milliseconds. */
  readonly everyMs: number;
}

/** Yields the requests of a stream while it may go on: checks before each one, and at an interval between them. */
export async function* whileAllowed<T>(
  requests: AsyncIterable<T>,
  { check, everyMs }: AllowedCheck,
): AsyncGenerator<T, void, undefined> {
  const iterator = requests[Symbol.asyncIterator]();
  for (;;) {
    const arrival = new AbortController();
    const next = iterator.next().finally(() => {
      arrival.abort();
    });
    // If the check ends the stream first, nobody waits for the rest of it.
    next.catch(ignore);
    do {
      await pause(everyMs, undefined, { signal: arrival.signal }).catch(ignore);
      await check();
    } while (!arrival.signal.aborted);
    const result = await next;
    if (result.done === true) return;
    yield result.value;
  }
}

const ignore = () => undefined;
