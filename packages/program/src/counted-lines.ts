/** Lines of a log about events that are alike, see {@link createCountedLines}. */
export interface CountedLines {
  /**
   * Takes an event. Of each kind the first one has its line at once. Those that follow within the period have one line together
   * at its end, which begins the next period.
   *
   * @param kind a member of a bounded set: it is kept for a period.
   * @param write writes the line of this event, or one for `count` events of its kind, of which it is the last.
   */
  note(kind: string, write: (count: number) => void): void;
  /** Writes the lines of what was only counted so far. */
  flush(): void;
}

const PERIOD_MS = 1000;

/** Those with events that have no line yet, of the whole process. */
const counting = new Set<CountedLines>();

/** Writes the lines of what was only counted so far, everywhere in the process: call it when the program stops. */
export function flushCountedLines(): void {
  for (const each of counting) each.flush();
}

/**
 * Creates lines for events that come at any rate, such as the refusals of an outage: at most two for each kind in the first
 * period, then one. No event is left out of the counts.
 *
 * @param periodMs a second, if it is left out.
 */
export function createCountedLines(periodMs = PERIOD_MS): CountedLines {
  const periods = new Map<string, { timer: NodeJS.Timeout; count: number; write: (count: number) => void }>();
  const leave = (kind: string) => {
    periods.delete(kind);
    if (periods.size === 0) counting.delete(lines);
  };
  const begin = (kind: string, count: number, write: (count: number) => void) => {
    const timer = setTimeout(() => end(kind), periodMs).unref();
    periods.set(kind, { timer, count: 0, write });
    counting.add(lines);
    write(count);
  };
  const end = (kind: string) => {
    const { count = 0, write } = periods.get(kind) ?? {};
    leave(kind);
    if (write !== undefined && count > 0) begin(kind, count, write);
  };
  const lines: CountedLines = {
    note(kind, write) {
      const period = periods.get(kind);
      if (period === undefined) begin(kind, 1, write);
      else {
        period.count++;
        period.write = write;
      }
    },
    flush() {
      for (const [kind, { timer, count, write }] of periods) {
        clearTimeout(timer);
        leave(kind);
        if (count > 0) write(count);
      }
    },
  };
  return lines;
}
