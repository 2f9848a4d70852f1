import { fullLimit, type Limiter, type LimitOutcome, type LimitReading } from './limiter.ts';
import type { LimitCheck } from './limits.ts';

/** A counter's window. */
interface Window {
  taken: number;
  endMs: number;
}

/** Counters whose windows have one length. They end in the order in which they began, which is the order of the map. */
type Windows = Map<string, Window>;

/** Ended windows that are dropped with each one that begins: more than one, so that none pile up. */
const FORGET_AT_ONCE = 2;

/**
 * Limits for one process, which start anew with it. A take is one turn of the event loop, so nothing comes between looking
 * and counting, and there is no timer: ended windows are forgotten as others begin.
 */
export class MemoryLimiter implements Limiter {
  readonly #byLength = new Map<number, Windows>();

  take(checks: readonly LimitCheck[], nowMs: number): LimitOutcome {
    const windows = checks.map((check) => this.#current(check, nowMs));
    const readings = checks.map((check, index) => readingOf(check, windows[index], nowMs));
    const full = fullLimit(readings);
    if (full) return { allowed: false, readings, limit: full.check, retryAfterMs: full.resetAfterMs };
    checks.forEach((check, index) => {
      const window = windows[index] ?? this.#begin(check, nowMs);
      window.taken++;
      readings[index] = readingOf(check, window, nowMs);
    });
    return { allowed: true, readings };
  }

  peek(checks: readonly LimitCheck[], nowMs: number): LimitReading[] {
    return checks.map((check) => readingOf(check, this.#current(check, nowMs), nowMs));
  }

  /** Counters held, for tests and measurements. */
  get size(): number {
    let size = 0;
    for (const windows of this.#byLength.values()) size += windows.size;
    return size;
  }

  #begin({ key, windowMs }: LimitCheck, nowMs: number): Window {
    const windows: Windows = this.#byLength.get(windowMs) ?? new Map<string, Window>();
    this.#byLength.set(windowMs, windows);
    forgetEnded(windows, nowMs);
    // Taken out first, or it would keep the place of the window that has ended.
    windows.delete(key);
    const window = { taken: 0, endMs: nowMs + windowMs };
    windows.set(key, window);
    return window;
  }

  #current({ key, windowMs }: LimitCheck, nowMs: number): Window | undefined {
    const window = this.#byLength.get(windowMs)?.get(key);
    if (!window || window.endMs <= nowMs) return undefined;
    // A clock that was set back must not make a window longer than it is.
    window.endMs = Math.min(window.endMs, nowMs + windowMs);
    return window;
  }
}

function readingOf(check: LimitCheck, window: Window | undefined, nowMs: number): LimitReading {
  return { check, taken: window?.taken ?? 0, resetAfterMs: window ? window.endMs - nowMs : 0 };
}

function forgetEnded(windows: Windows, nowMs: number): void {
  let left = FORGET_AT_ONCE;
  for (const [key, { endMs }] of windows) {
    if (endMs > nowMs || left-- === 0) return;
    windows.delete(key);
  }
}
