/** The two clocks that are held against each other, in milliseconds. */
export interface ClockSource {
  /** Since the Unix epoch; may be set by anybody. */
  wallMs(): number;
  /** Since some moment; only ever goes on, but stands still while the machine sleeps. */
  monotonicMs(): number;
}

/** Which way the wall clock jumped. */
export type ClockDirection = 'forward' | 'backward';

/** Receives changes of the guard, for metrics and the log. */
export interface ClockEvents {
  onStep(direction: ClockDirection, offsetMs: number): void;
  onTrusted(): void;
}

/** Rate by which time synchronisation may slow or speed the wall clock: twice what it does at most (500 ppm). */
const SLEW = 0.001;

/**
 * Distance that the clocks may seem to part besides: they are read one after the other, by a process that others interrupt.
 */
const STEADY_WITHIN_MS = 50;

/**
 * Holds the wall clock against the monotonic one. Once they part by more than a step, at once or little by little but faster
 * than time synchronisation slews a clock, the time in a token could not be trusted, until the two have gone on together
 * for a while.
 */
export class ClockGuard {
  readonly #source: ClockSource;
  readonly #events: ClockEvents;
  readonly #maxStepMs: number;
  readonly #steadyAfterMs: number;
  /** Wall minus monotonic time as it should be. Follows the wall clock no faster than it is slewed. */
  #expectedMs: number;
  #observedAtMs: number;
  #offsetMs = 0;
  #steadySinceMs: number | undefined;

  constructor(parts: {
    source: ClockSource;
    /** The wall clock may jump by this much. */
    maxStepMs: number;
    /** After a step it must have been steady for so long. */
    steadyAfterMs: number;
    events: ClockEvents;
  }) {
    this.#source = parts.source;
    this.#events = parts.events;
    this.#maxStepMs = parts.maxStepMs;
    this.#steadyAfterMs = parts.steadyAfterMs;
    this.#observedAtMs = parts.source.monotonicMs();
    this.#expectedMs = parts.source.wallMs() - this.#observedAtMs;
  }

  get trusted(): boolean {
    return this.#steadySinceMs === undefined;
  }

  /** Distance of the wall clock from where it should be; after a step, the size of the step. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** In how many ms the clock is trusted again if it stays steady; 0 while it is. */
  get trustedInMs(): number {
    return this.#steadySinceMs === undefined
      ? 0
      : Math.max(0, this.#steadySinceMs + this.#steadyAfterMs - this.#observedAtMs);
  }

  /** Looks at both clocks. */
  observe(): void {
    const nowMs = this.#source.monotonicMs();
    const partedMs = this.#source.wallMs() - nowMs - this.#expectedMs;
    const slewMs = (nowMs - this.#observedAtMs) * SLEW;
    this.#observedAtMs = nowMs;
    const isStep = Math.abs(partedMs) > this.#maxStepMs;
    if (isStep || (!this.trusted && Math.abs(partedMs) > STEADY_WITHIN_MS)) {
      this.#expectedMs += partedMs;
      this.#steadySinceMs = nowMs;
      if (!isStep) return;
      this.#offsetMs = partedMs;
      this.#events.onStep(partedMs > 0 ? 'forward' : 'backward', partedMs);
      return;
    }
    this.#expectedMs += Math.max(-slewMs, Math.min(slewMs, partedMs));
    if (this.#steadySinceMs === undefined) {
      this.#offsetMs = partedMs;
    } else if (nowMs - this.#steadySinceMs >= this.#steadyAfterMs) {
      this.#steadySinceMs = undefined;
      this.#offsetMs = partedMs;
      this.#events.onTrusted();
    }
  }
}
