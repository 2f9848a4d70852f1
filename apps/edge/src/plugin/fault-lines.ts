/** Selects the faults that get a line in the log. */
export interface FaultLines {
  /**
   * Gives the fields of a fault's line: the number of faults of the same reason that were not logged since the last line.
   * `undefined` where this fault is not logged either.
   */
  next(reason: string): { readonly unlogged?: number } | undefined;
}

const QUIET_MS = 1000;

/**
 * One line a second for each reason: while the service is away every request fails alike, and visitors could fill the disk.
 * `now` gives milliseconds that never go back.
 */
export function createFaultLines(now: () => number): FaultLines {
  const kept = new Map<string, { atMs: number; unlogged: number }>();
  return {
    next(reason) {
      const nowMs = now();
      const before = kept.get(reason);
      if (before !== undefined && nowMs - before.atMs < QUIET_MS) {
        before.unlogged++;
        return undefined;
      }
      kept.set(reason, { atMs: nowMs, unlogged: 0 });
      return before !== undefined && before.unlogged > 0 ? { unlogged: before.unlogged } : {};
    },
  };
}
