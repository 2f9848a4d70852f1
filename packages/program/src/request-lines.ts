import { createCountedLines } from './counted-lines.ts';
import type { Logger } from './log.ts';

/** Lines of an access log. */
export interface RequestLines {
  /**
   * Writes the line of a request, or counts it with those that are alike.
   *
   * @param alike members that requests of one kind share: of bounded sets, since a kind is kept for a second.
   * @param own members of this request only.
   */
  readonly write: (
    alike: object,
    own: { readonly traceId: string | undefined; readonly [member: string]: unknown },
  ) => void;
  /** Writes the lines of what was only counted so far. */
  readonly flush: () => void;
}

/**
 * Creates the lines of an access log: one for each request, or one at once and then one a second for those that are alike, with
 * their number and the trace of the last, since in an outage every request is refused.
 */
export function createRequestLines(
  log: Pick<Logger, 'info'>,
  { each }: { readonly each: boolean },
): RequestLines {
  const counted = createCountedLines();
  return {
    write(alike, own) {
      const whole = () => {
        log.info({ ...alike, ...own }, 'request');
      };
      if (each) {
        whole();
        return;
      }
      counted.note(JSON.stringify(alike), (count) => {
        if (count === 1) whole();
        else log.info({ ...alike, count, traceId: own.traceId }, 'requests');
      });
    },
    flush: () => {
      counted.flush();
    },
  };
}
