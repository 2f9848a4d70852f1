import {
  fullLimit,
  type LimitCheck,
  type Limiter,
  type LimitOutcome,
  type LimitReading,
} from '@callpass/domain';

/** A counter's window. */
interface Window {
  taken: number;
  endMs: number;
}

/** Counters whose windows have one length. They end in the order in which they began, which is the order of the map. */
type Windows = Map<string, Window>;

/** So many ended windows are forgotten with each one that begins: more than begin, so that none pile up. */
const FORGET_AT_ONCE = 2;

/**
 * Limits for one process, which start anew with it. A take is one turn of the event loop, so nothing comes between looking
 * and counting, and there is no timer: ended windows are forgotten as others begin.
 */
export class MemoryLimiter implements Limiter {
  readonly #byLength = new Map<number, Windows>();

  take(checks: readonly LimitCheck[], nowMs: number): LimitOutcome {
    const readings = this.peek(checks, nowMs);
    const full = fullLimit(readings);
    if (full) return { allowed: false, readings, limit: full.check, retryAfterMs: full.resetAfterMs };
    return { allowed: true, readings: checks.map((check) => this.#count(check, nowMs)) };
  }

  peek(checks: readonly LimitCheck[], nowMs: number): LimitReading[] {
    return checks.map((check) => {
      const window = this.#current(check, nowMs);
      return { check, taken: window?.taken ?? 0, resetAfterMs: window ? window.endMs - nowMs : 0 };
    });
  }

  /** How many counters are held: for tests and measurements. */
  get size(): number {
    let size = 0;
    for (const windows of this.#byLength.values()) size += windows.size;
    return size;
  }

  #count(check: LimitCheck, nowMs: number): LimitReading {
    const current = this.#current(check, nowMs);
    if (current) {
      current.taken++;
      return { check, taken: current.taken, resetAfterMs: current.endMs - nowMs };
    }
    const { key, windowMs } = check;
    const windows: Windows = this.#byLength.get(windowMs) ?? new Map<string, Window>();
    this.#byLength.set(windowMs, windows);
    forgetEnded(windows, nowMs);
    // Taken out first, or it would keep the place of the window that has ended.
    windows.delete(key);
    windows.set(key, { taken: 1, endMs: nowMs + windowMs });
    return { check, taken: 1, resetAfterMs: windowMs };
  }

  #current({ key, windowMs }: LimitCheck, nowMs: number): Window | undefined {
    const window = this.#byLength.get(windowMs)?.get(key);
    if (!window || window.endMs <= nowMs) return undefined;
    // A clock that was set back must not make a window longer than it is.
    window.endMs = Math.min(window.endMs, nowMs + windowMs);
    return window;
  }
}

function forgetEnded(windows: Windows, nowMs: number): void {
  let left = FORGET_AT_ONCE;
  for (const [key, { endMs }] of windows) {
    if (endMs > nowMs || left-- === 0) return;
    windows.delete(key);
  }
}
