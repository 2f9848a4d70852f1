import { status } from '@grpc/grpc-js';
import { CallpassError } from '../errors/callpass-error.ts';

/** Rules of a hedge: a second attempt while the first has no answer. */
export interface Hedging {
  /** Time in ms that the first attempt has for itself. */
  readonly afterMs: number;
  /** Asked when that time is over; `false` when the second attempt must not be made. */
  readonly allowed: () => boolean;
}

/** Makes an attempt. It gives the function that cancels it to `onStart`, once it has one. */
export type Attempt<T> = (onStart: (cancel: () => void) => void) => Promise<T>;

/**
 * First good answer of an attempt and its hedge; the other one is cancelled. A refusal is a good answer too, except for
 * UNAVAILABLE and RESOURCE_EXHAUSTED while the other attempt may still do better.
 */
export function firstAnswer<T>(attempt: Attempt<T>, { afterMs, allowed }: Hedging): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancels: (() => void)[] = [];
    let open = 0;
    const end = () => {
      clearTimeout(timer);
      for (const cancel of cancels) cancel();
    };
    const start = () => {
      open++;
      attempt((cancel) => cancels.push(cancel)).then(
        (answer) => {
          end();
          resolve(answer);
        },
        (error: unknown) => {
          open--;
          if (open > 0 && isOfOneInstance(error)) return;
          end();
          // A fault of the caller may be any value and is passed on unchanged.
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
          reject(error);
        },
      );
    };
    const timer = setTimeout(() => {
      if (allowed()) start();
    }, afterMs);
    start();
  });
}

/** Another instance may well answer otherwise. */
function isOfOneInstance(error: unknown): boolean {
  if (!(error instanceof CallpassError)) return false;
  return error.code === status.UNAVAILABLE || error.code === status.RESOURCE_EXHAUSTED;
}
