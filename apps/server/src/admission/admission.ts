import type { Logger } from '@callpass/program/log';
import type { LoadClass } from '../methods.ts';
import type { Settings } from '../settings/schema.ts';
import { watchEventLoop, type EventLoopWatch, type EventLoopWindow } from './event-loop.ts';
import { ShedLimit, WINDOW_MS, type ShedBounds } from './shed-limit.ts';

/**
 * Cause for which a call was not admitted: too many under way, no time left to answer it within its deadline, or too many of
 * its connection under way.
 */
export type ShedCause = 'in_flight' | 'deadline' | 'connection';

/** A call that is refused for load. */
export interface Shed {
  readonly cause: ShedCause;
  /** Time after which it makes sense to come back: about as long as the load lasts, and different for each caller. */
  readonly retryAfterMs: number;
}

/** Receives the decisions of admission, for metrics and the log. */
export interface AdmissionEvents {
  /** A call was refused. */
  onShed(loadClass: LoadClass, cause: ShedCause): void;
  /** Overload has begun, or is over. */
  onOverload(overloaded: boolean): void;
}

interface Gauge {
  readonly limit: ShedLimit | undefined;
  underWay: number;
  /** Calls whose headers have come in this turn of the event loop, and that were not admitted yet. */
  announced: number;
  mostUnderWay: number;
  ended: number;
  totalMs: number;
  refused: number;
  /** Mean of the last window; 0 where none ended. */
  recentMs: number;
  /** Calls that were asked for, for each that could be served in the last window. */
  pressure: number;
}

const RETRY = { leastMs: 500, mostMs: 1500, mostPressure: 8 } as const;

/** Decides which calls are admitted. One for a server; cheap enough to be asked on every call. */
export class Admission {
  readonly #eventLoop: EventLoopWatch;
  readonly #events: AdmissionEvents;
  readonly #random: () => number;
  readonly #gauges: Readonly<Record<LoadClass, Gauge>>;
  readonly #timer: NodeJS.Timeout;
  readonly #atEndOfTurn: (then: () => void) => void;
  #turnEnds = false;
  #lagMs = 0;
  #overloaded = false;

  constructor(parts: {
    bounds: ShedBounds;
    eventLoop: EventLoopWatch;
    events: AdmissionEvents;
    /** 0 to 1, 1 excluded; jitter, no secret. */
    random?: () => number;
    /** Calls back when the event loop has taken what had arrived; `setImmediate` by default. */
    atEndOfTurn?: (then: () => void) => void;
  }) {
    this.#eventLoop = parts.eventLoop;
    this.#events = parts.events;
    this.#random = parts.random ?? Math.random;
    this.#atEndOfTurn = parts.atEndOfTurn ?? setImmediate;
    this.#gauges = {
      ISSUE: gauge(new ShedLimit(parts.bounds)),
      // Not shed for the time that issues take: it is what the loop has left when issues are held back.
      VALIDATE: gauge(new ShedLimit({ ...parts.bounds, maxLagMs: 4 * parts.bounds.maxLagMs })),
      OPERATE: gauge(undefined),
    };
    this.#timer = setInterval(() => {
      this.observe();
    }, WINDOW_MS).unref();
  }

  /** Calls of a class that are under way. */
  underWay(loadClass: LoadClass): number {
    return this.#gauges[loadClass].underWay;
  }

  /** By how much the event loop was late in the last window, in ms. */
  get lagMs(): number {
    return this.#lagMs;
  }

  /** Tests that a call would be refused now for the number under way. */
  isFull(loadClass: LoadClass): boolean {
    const { limit, underWay, announced } = this.#gauges[loadClass];
    return limit !== undefined && underWay + announced >= limit.value;
  }

  /**
   * Keeps a place for a call whose headers have come until it asks to be admitted, or until this turn of the event loop
   * ends. A socket hands over hundreds of calls at once, all their headers before the first message: without this all of
   * them would find room.
   */
  announce(loadClass: LoadClass): void {
    this.#gauges[loadClass].announced++;
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    this.#atEndOfTurn(() => {
      this.#turnEnds = false;
      for (const own of Object.values(this.#gauges)) own.announced = 0;
    });
  }

  /** Counts a call that was refused before it was admitted. */
  countRefused(loadClass: LoadClass): void {
    const own = this.#gauges[loadClass];
    own.refused++;
    own.limit?.begin();
    this.countShed(loadClass, 'in_flight');
  }

  /** Counts a refusal for load. Every OVERLOADED that is answered is counted with its cause. */
  countShed(loadClass: LoadClass, cause: ShedCause): void {
    this.#events.onShed(loadClass, cause);
  }

  /** Admits a call until {@link leave}, or gives the cause why not. `remainingMs` is the time until its deadline. */
  enter(loadClass: LoadClass, remainingMs = Infinity): Shed | undefined {
    const own = this.#gauges[loadClass];
    if (own.announced > 0) own.announced--;
    if (this.isFull(loadClass)) {
      this.countRefused(loadClass);
      return { cause: 'in_flight', retryAfterMs: this.retryAfterMs(loadClass) };
    }
    if (own.limit !== undefined && remainingMs <= own.recentMs) return this.cutOff(loadClass);
    own.underWay++;
    if (own.underWay > own.mostUnderWay) own.mostUnderWay = own.underWay;
    return undefined;
  }

  /** Ends a call that was admitted, after so many milliseconds. */
  leave(loadClass: LoadClass, durationMs: number): void {
    const own = this.#gauges[loadClass];
    own.underWay--;
    own.ended++;
    own.totalMs += durationMs;
  }

  /** Counts a call for which there is not time enough, before it was admitted or after. */
  cutOff(loadClass: LoadClass): Shed {
    this.countShed(loadClass, 'deadline');
    return { cause: 'deadline', retryAfterMs: this.retryAfterMs(loadClass) };
  }

  /** Time after which to come back, in ms: jittered, and later the more was refused for each that was admitted. */
  retryAfterMs(loadClass: LoadClass): number {
    const { leastMs, mostMs } = RETRY;
    return Math.round(this.#gauges[loadClass].pressure * (leastMs + this.#random() * (mostMs - leastMs)));
  }

  /** Looks at the last window. Done by itself ten times a second. */
  observe(): void {
    const seen = this.#eventLoop.take();
    this.#lagMs = seen.lagMs;
    for (const own of Object.values(this.#gauges)) close(own, seen);
    const overloaded = Object.values(this.#gauges).some(({ limit }) => limit?.shedding);
    if (overloaded === this.#overloaded) return;
    this.#overloaded = overloaded;
    this.#events.onOverload(overloaded);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#eventLoop.stop();
  }
}

function close(own: Gauge, seen: EventLoopWindow): void {
  const { ended, refused, mostUnderWay } = own;
  const meanMs = ended === 0 ? 0 : own.totalMs / ended;
  own.limit?.observe({ ended, meanMs, mostUnderWay, refused, ...seen });
  own.recentMs = meanMs;
  own.pressure = Math.min(RETRY.mostPressure, (ended + refused) / Math.max(1, ended));
  if (ended + refused === 0) own.pressure = 1;
  own.ended = own.totalMs = own.refused = 0;
  own.mostUnderWay = own.underWay;
}

function gauge(limit: ShedLimit | undefined): Gauge {
  return {
    ...{ limit, underWay: 0, announced: 0, mostUnderWay: 0 },
    ...{ ended: 0, totalMs: 0, refused: 0, recentMs: 0, pressure: 1 },
  };
}

/** The admission of a server by its settings, on the real event loop. */
export function startAdmission(
  { overload }: Settings,
  log: Logger,
  onShed: AdmissionEvents['onShed'] = () => undefined,
): Admission {
  return new Admission({
    bounds: { maxInFlight: overload.maxInFlight, maxLagMs: overload.maxEventLoopLag },
    eventLoop: watchEventLoop(),
    events: {
      onShed,
      onOverload: (overloaded) => {
        if (overloaded) log.warn('overloaded: shedding load');
        else log.info('no longer overloaded');
      },
    },
  });
}
