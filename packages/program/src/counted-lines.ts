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

/**
 * Creates lines for events that come at any rate, such as the refusals of an outage: at most two for each kind in the first
 * period, then one. No event is left out of the counts.
 *
 * @param periodMs a second, if it is left out.
 */
export function createCountedLines(periodMs = PERIOD_MS): CountedLines {
  const periods = new Map<string, { timer: NodeJS.Timeout; count: number; write: (count: number) => void }>();
  const begin = (kind: string, count: number, write: (count: number) => void) => {
    const timer = setTimeout(() => end(kind), periodMs).unref();
    periods.set(kind, { timer, count: 0, write });
    write(count);
  };
  const end = (kind: string) => {
    const { count = 0, write } = periods.get(kind) ?? {};
    periods.delete(kind);
    if (write !== undefined && count > 0) begin(kind, count, write);
  };
  return {
    note(kind, write) {
      const period = periods.get(kind);
      if (period === undefined) begin(kind, 1, write);
      else {
        period.count++;
        period.write = write;
      }
    },
    flush() {
      for (const { timer, count, write } of periods.values()) {
        clearTimeout(timer);
        if (count > 0) write(count);
      }
      periods.clear();
    },
  };
}
