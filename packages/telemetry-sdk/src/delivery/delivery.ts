import { errorText } from '@callpass/program';
import { METRICS, type Instruments } from '@callpass/telemetry';
import type { ExportResult } from '@opentelemetry/core';
import type { Signal, UnknownValue } from '../variables.ts';
import { wrapExport } from './wrap-export.ts';

/** Destination of lines about telemetry. */
export interface DeliveryLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** `ExportResultCode.SUCCESS` of the SDK; without telemetry nothing of the SDK is loaded. */
export const DELIVERED: ExportResult['code'] = 0;
/** A fault that goes on is logged again after this time. */
const AGAIN_MS = 3_600_000;
/** After this time without another export nobody knows whether the last failure still holds. */
const FAILURE_HOLDS_MS = 300_000;

/** Cause for which items were lost. */
export type Loss = 'queue_full' | 'export_failed';

interface Failure {
  readonly of: 'export' | 'connection';
  readonly cause: string;
  readonly atMs: number;
}

interface SignalState {
  readonly place: string;
  failedExports: number;
  readonly lost: Record<Loss, number>;
  /** Set while the last export or the last connection failed. */
  failure: Failure | undefined;
  unreachable: boolean;
  deliveries: number;
  loggedAtMs: number | undefined;
  recoveryLogged: boolean;
}

/**
 * Delivery of telemetry to its collectors: counts what is lost, and says it in the log once, again every hour while it goes on, and
 * when it is over. Losing telemetry delays no call and ends no program, so without this nobody would hear of it.
 */
export class Delivery {
  readonly #states = new Map<Signal, SignalState>();
  readonly #unknown: readonly UnknownValue[];
  readonly #now: () => number;
  #log: DeliveryLog | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param signals signals that go to a collector, each with the place where it is.
   * @param unknown variables with a value that was ignored.
   * @param now milliseconds that never go back.
   */
  constructor(
    signals: readonly { readonly signal: Signal; readonly place: string }[],
    unknown: readonly UnknownValue[] = [],
    now: () => number = () => performance.now(),
  ) {
    for (const { signal, place } of signals)
      this.#states.set(signal, {
        place,
        failedExports: 0,
        lost: { queue_full: 0, export_failed: 0 },
        failure: undefined,
        unreachable: false,
        deliveries: 0,
        loggedAtMs: undefined,
        recoveryLogged: true,
      });
    this.#unknown = unknown;
    this.#now = now;
  }

  /** Writes what is wrong now and from now on to this log. */
  follow(log: DeliveryLog): void {
    this.#log = log;
    this.#logUnknown();
    for (const state of this.#states.values()) this.#report(state);
    this.#timer ??= setInterval(() => this.#logUnknown(), AGAIN_MS).unref();
  }

  /** Ends the repeated lines. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Counts what becomes of each export of an exporter, which is given back. */
  count<E extends object>(signal: Signal, exporter: E, sizeOf: (items: never) => number): E {
    return wrapExport(exporter, (send) => (items, done) => {
      send(items, (result) => {
        this.#note(signal, result, sizeOf(items as never));
        done(result);
      });
    });
  }

  /** Counts an item that was dropped because too many wait for an export. */
  dropped(signal: Signal): void {
    const state = this.#states.get(signal);
    if (state === undefined) return;
    state.lost.queue_full++;
    this.#report(state);
  }

  /** Takes the outcome of a connection to the collector; `cause` is set where there was none. */
  noteConnection(signal: Signal, cause: string | undefined): void {
    const state = this.#states.get(signal);
    if (state === undefined) return;
    state.unreachable = cause !== undefined;
    if (cause === undefined && state.failure?.of === 'connection') this.#recover(state);
    if (cause !== undefined && state.failure?.of !== 'export') this.#fail(state, 'connection', cause);
  }

  /** Number of exports of a signal that were delivered. */
  deliveries(signal: Signal): number {
    return this.#states.get(signal)?.deliveries ?? 0;
  }

  /** Creates the metrics. Each signal has a value from the start, so that the first loss is an increase. */
  measure(make: Instruments): void {
    const states = [...this.#states];
    make.total(METRICS.telemetryLost, () =>
      states.flatMap(([signal, { lost }]) =>
        Object.entries(lost).map(([cause, count]) => [count, signal, cause] as const),
      ),
    );
    make.total(METRICS.telemetryExportsFailed, () =>
      states.map(([signal, { failedExports }]) => [failedExports, signal] as const),
    );
    make.gauge(METRICS.telemetryDelivered, () =>
      states.map(([signal, state]) => [this.#isFailing(state) ? 0 : 1, signal] as const),
    );
  }

  #isFailing({ failure, unreachable }: SignalState): boolean {
    if (failure === undefined) return false;
    return unreachable || this.#now() - failure.atMs < FAILURE_HOLDS_MS;
  }

  #note(signal: Signal, { code, error }: ExportResult, size: number): void {
    const state = this.#states.get(signal);
    if (state === undefined) return;
    if (code === DELIVERED) {
      state.deliveries++;
      state.unreachable = false;
      this.#recover(state);
      return;
    }
    state.failedExports++;
    // A collection of metrics is made anew; its numbers go on.
    if (signal !== 'metrics') state.lost.export_failed += size;
    this.#fail(state, 'export', causeOf(error));
  }

  #fail(state: SignalState, of: Failure['of'], cause: string): void {
    state.failure = { of, cause, atMs: this.#now() };
    this.#report(state);
  }

  #recover(state: SignalState): void {
    if (state.failure === undefined) return;
    state.failure = undefined;
    if (state.recoveryLogged) return;
    state.recoveryLogged = true;
    this.#log?.info(this.#fieldsOf(state), 'telemetry is delivered again');
  }

  #report(state: SignalState): void {
    const { failure, lost, loggedAtMs } = state;
    if (this.#log === undefined || (failure === undefined && lost.queue_full === 0)) return;
    if (loggedAtMs !== undefined && this.#now() - loggedAtMs < AGAIN_MS) return;
    state.loggedAtMs = this.#now();
    state.recoveryLogged = false;
    this.#log.warn(
      { ...this.#fieldsOf(state), cause: failure?.cause ?? 'more is recorded than the collector takes' },
      'telemetry is lost; this is said once an hour, callpass_telemetry_lost_total counts it',
    );
  }

  #fieldsOf({ place, failedExports, lost }: SignalState): object {
    return { export: place, failedExports, lost: lost.queue_full + lost.export_failed };
  }

  #logUnknown(): void {
    for (const { variable, allowed } of this.#unknown)
      this.#log?.warn({ variable, allowed }, `${variable} has a value that is not known; it is ignored`);
  }
}

/** Describes why an export failed: its status or its error code. The answer of a collector is left out. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  const { code } = error as { code?: unknown };
  const text = errorText(error);
  return typeof code === 'number' ? `${text} (${code})` : text || String(code);
}
