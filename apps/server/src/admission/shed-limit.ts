import type { EventLoopWindow } from './event-loop.ts';

/** Calls and event loop in one {@link WINDOW_MS}. */
export interface Window extends EventLoopWindow {
  /** Calls that ended, and how long they took on average, in ms. 0 where none ended. */
  readonly ended: number;
  readonly meanMs: number;
  /** The most that were under way at a time. */
  readonly mostUnderWay: number;
  /** Calls that were refused for the number under way. */
  readonly refused: number;
}

/** Bounds within which the limit moves. */
export interface ShedBounds {
  /** Calls under way at a time while there is no overload. */
  readonly maxInFlight: number;
  /** Overload too is when the event loop is this late, in ms, in two windows in a row. */
  readonly maxLagMs: number;
}

/** Interval at which the limit is adjusted. */
export const WINDOW_MS = 100;

/** With fewer the store would commit calls one by one. */
const LEAST = 8;
/** Limit at which shedding begins. */
const FIRST = 32;
/** An event loop that waits for more than a tenth of the time could do more; one that hardly waits makes all wait for it. */
const BUSY = { enough: 0.9, tooMuch: 0.95 } as const;
/** Calls under way that are not load enough to change how long a call takes. */
const LIGHT = 48;
/** A call may take so much longer than at light load. */
const SLOWER = 2;
const BASE_MS = { first: 10, least: 5, weight: 0.05 } as const;
/** Windows without a refusal after which overload is over. */
const CALM_WINDOWS = 10;

/**
 * Limit on calls under way. In good times it is the fixed bound, generous enough for any burst that passes. Once
 * that is hit the server is overloaded: more calls under way would not be answered sooner, they would only make all wait
 * longer. From then on the limit is moved so that calls take at most twice what they take at light load, and the event loop
 * is busy, but not all of the time. While it has time to spare more are admitted, however long calls take: they wait for
 * something else then, and an overload that is over must be seen to be over. It is, when nothing had to be refused for a
 * second.
 */
export class ShedLimit {
  readonly #bounds: ShedBounds;
  #shedding: number | undefined;
  #baseMs: number = BASE_MS.first;
  #calm = 0;
  #late = 0;

  constructor(bounds: ShedBounds) {
    this.#bounds = bounds;
  }

  /** Calls that may be under way. */
  get value(): number {
    return this.#shedding ?? this.#bounds.maxInFlight;
  }

  get shedding(): boolean {
    return this.#shedding !== undefined;
  }

  /** Takes what was seen in the last window. */
  observe(window: Window): void {
    this.#late = window.lagMs > this.#bounds.maxLagMs ? this.#late + 1 : 0;
    if (this.#shedding !== undefined) this.#adjust(this.#shedding, window);
    else if (window.refused > 0 || this.#late >= 2) this.begin();
    else this.#learn(window);
  }

  /** Begins to shed at once, when the bound was hit. */
  begin(): void {
    this.#shedding ??= Math.min(FIRST, this.#bounds.maxInFlight);
    this.#calm = 0;
  }

  #adjust(limit: number, window: Window): void {
    const tooSlow = window.ended > 0 && window.meanMs + window.lagMs > SLOWER * this.#baseMs;
    const { maxInFlight } = this.#bounds;
    const least = Math.min(LEAST, maxInFlight);
    if (window.busy < BUSY.enough) this.#shedding = Math.min(maxInFlight, Math.ceil(1.25 * limit));
    else if (window.refused > 0 && (tooSlow || window.busy > BUSY.tooMuch))
      this.#shedding = Math.max(least, Math.floor(limit * 0.8));
    else if (window.refused > 0) this.#shedding = Math.min(maxInFlight, limit + 2);
    this.#calm = window.refused > 0 || this.#late > 0 ? 0 : this.#calm + 1;
    if (this.#calm >= CALM_WINDOWS) this.#shedding = undefined;
  }

  #learn({ ended, meanMs, mostUnderWay }: Window): void {
    if (ended === 0 || mostUnderWay > LIGHT) return;
    this.#baseMs = Math.max(BASE_MS.least, this.#baseMs + BASE_MS.weight * (meanMs - this.#baseMs));
  }
}
