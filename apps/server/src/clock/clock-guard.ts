/** The clocks of a machine that are held against each other, in milliseconds. */
export interface ClockSource {
  /** Since the Unix epoch; may be set by anybody. */
  wallMs(): number;
  /** Since some moment; only ever goes on, but stands still while the machine sleeps. */
  monotonicMs(): number;
  /** Time that the machine has slept, from some value on: two readings differ by the sleep between them. */
  sleptMs(): number;
}

/** The wall clock against the times that the store knows, at one look. */
export interface ClockReference {
  /** Time of the look on the monotonic clock. */
  readonly readAtMs: number;
  /** Wall clock minus the database's clock; `undefined` where the database has none of its own. */
  readonly databaseOffsetMs: number | undefined;
  /** The database is reached as another machine is. */
  readonly elsewhere: boolean;
  /** Time by which the latest issue in the ledger lies ahead of the wall clock; 0 where it does not. */
  readonly ledgerLeadMs: number;
}

/**
 * Cause for which a clock is not trusted. `STEPPED`: it has not been steady for long enough. `UNCONFIRMED`: it has, and
 * nothing shows that it is right. `DATABASE_DIFFERS`, `LEDGER_AHEAD`: something shows that it is wrong.
 */
export type ClockDoubt = 'STEPPED' | 'UNCONFIRMED' | 'DATABASE_DIFFERS' | 'LEDGER_AHEAD';

/** Which way the wall clock jumped. */
export type ClockDirection = 'forward' | 'backward';

/** Receives changes of the guard, for metrics and the log. */
export interface ClockEvents {
  onStep(direction: ClockDirection, offsetMs: number): void;
  onTrusted(): void;
}

/** Distance within which clocks of two machines agree: more than any time synchronisation leaves between them. */
export const MACHINES_WITHIN_MS = 2000;

/** Rate by which time synchronisation may slow or speed the wall clock: twice what it does at most (500 ppm). */
const SLEW = 0.001;

/**
 * Distance that the clocks may seem to part besides: they are read one after the other, by a process that others interrupt.
 */
const STEADY_WITHIN_MS = 50;

/** Doubt that a look at the store raises about the wall clock; `undefined` where it raises none. */
export function contradiction(reference: ClockReference): ClockDoubt | undefined {
  if (Math.abs(reference.databaseOffsetMs ?? 0) > MACHINES_WITHIN_MS) return 'DATABASE_DIFFERS';
  return reference.ledgerLeadMs > MACHINES_WITHIN_MS ? 'LEDGER_AHEAD' : undefined;
}

/**
 * Holds the wall clock against the monotonic one. Once they part by more than a step, at once or little by little but faster
 * than time synchronisation slews a clock, the time in a token could not be trusted. It is again when the two have gone on
 * together for a while, the store shows nothing against it, and the wall clock is where it was before the step (sleep of the
 * machine added) or where the clock of the database's machine is. Steadiness alone proves nothing.
 */
export class ClockGuard {
  readonly #source: ClockSource;
  readonly #events: ClockEvents;
  readonly #maxStepMs: number;
  readonly #steadyAfterMs: number;
  readonly #isConfirmed: boolean;
  /** Wall minus monotonic time as it should be. Follows the wall clock no faster than it is slewed. */
  #expectedMs: number;
  /** The same as it was when the clock was last trusted, and what the machine has slept since; `undefined` if it never was. */
  #lastTrustedMs: number | undefined;
  #sleptMs: number;
  #observedAtMs: number;
  #offsetMs = 0;
  #steadySinceMs: number | undefined;
  #reference: ClockReference | undefined;
  /** A clock that was seen to differ from this machine's is another one, whatever its address. */
  #databaseHasDiffered = false;

  constructor(parts: {
    source: ClockSource;
    /** The wall clock may jump by this much. */
    maxStepMs: number;
    /** After a step it must have been steady for so long. */
    steadyAfterMs: number;
    /** An operator has compared the clock as it is now. */
    isConfirmed?: boolean;
    events: ClockEvents;
  }) {
    this.#source = parts.source;
    this.#events = parts.events;
    this.#isConfirmed = parts.isConfirmed ?? false;
    this.#maxStepMs = parts.maxStepMs;
    this.#steadyAfterMs = parts.steadyAfterMs;
    this.#observedAtMs = parts.source.monotonicMs();
    this.#expectedMs = parts.source.wallMs() - this.#observedAtMs;
    this.#sleptMs = parts.source.sleptMs();
  }

  get trusted(): boolean {
    return this.#steadySinceMs === undefined;
  }

  /** Cause for which the clock is not trusted; `undefined` while it is. */
  get doubt(): ClockDoubt | undefined {
    if (this.#steadySinceMs === undefined) return undefined;
    const reference = this.#referenceSince(this.#steadySinceMs);
    const contradicted = reference && contradiction(reference);
    if (contradicted) return contradicted;
    if (this.#observedAtMs - this.#steadySinceMs < this.#steadyAfterMs) return 'STEPPED';
    const isWhereItWas =
      this.#lastTrustedMs === undefined
        ? reference !== undefined
        : Math.abs(this.#expectedMs - this.#lastTrustedMs) <= this.#maxStepMs;
    return isWhereItWas || this.#isConfirmedBy(reference) ? undefined : 'UNCONFIRMED';
  }

  /** Distance of the wall clock from where it should be; after a step, the size of the step. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** In how many ms the clock may be trusted again at the earliest; 0 while it is. */
  get trustedInMs(): number {
    if (this.#steadySinceMs === undefined) return 0;
    const remainingMs = this.#steadySinceMs + this.#steadyAfterMs - this.#observedAtMs;
    return remainingMs > 0 ? remainingMs : this.#steadyAfterMs;
  }

  /** The last look at the store; `undefined` before the first. */
  get reference(): ClockReference | undefined {
    return this.#reference;
  }

  /**
   * Takes a look at the store. The first one decides about the clock that was found at the start. Later ones change nothing
   * while the clock is trusted: this clock was right and has gone on as time does, so it is the other that went wrong.
   */
  compare(reference: ClockReference): void {
    const contradicted = contradiction(reference);
    if (contradicted === 'DATABASE_DIFFERS') this.#databaseHasDiffered = true;
    const isFirst = this.#reference === undefined;
    this.#reference = reference;
    if (isFirst && contradicted && !this.#isConfirmed) this.#steadySinceMs ??= reference.readAtMs;
  }

  /** Looks at both clocks. */
  observe(): void {
    const nowMs = this.#source.monotonicMs();
    const partedMs = this.#source.wallMs() - nowMs - this.#expectedMs;
    const slewMs = (nowMs - this.#observedAtMs) * SLEW;
    this.#observedAtMs = nowMs;
    const isStep = Math.abs(partedMs) > this.#maxStepMs;
    if (isStep || (!this.trusted && Math.abs(partedMs) > STEADY_WITHIN_MS)) {
      if (isStep) this.#rememberTrusted();
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
    } else if (this.doubt === undefined) {
      this.#steadySinceMs = undefined;
      this.#offsetMs = partedMs;
      this.#events.onTrusted();
    }
  }

  #rememberTrusted(): void {
    if (this.trusted) this.#lastTrustedMs = this.#expectedMs;
    const sleptMs = this.#source.sleptMs();
    if (this.#lastTrustedMs !== undefined) this.#lastTrustedMs += sleptMs - this.#sleptMs;
    this.#sleptMs = sleptMs;
  }

  #referenceSince(sinceMs: number): ClockReference | undefined {
    return this.#reference && this.#reference.readAtMs >= sinceMs ? this.#reference : undefined;
  }

  /** Only another machine's clock proves anything: this one's would have jumped along. */
  #isConfirmedBy(reference: ClockReference | undefined): boolean {
    return reference?.databaseOffsetMs !== undefined && (reference.elsewhere || this.#databaseHasDiffered);
  }
}
