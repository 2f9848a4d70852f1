import { uptime } from 'node:os';
import type { Store } from '@callpass/domain';
import { METRICS, type Instruments, type Reading } from '@callpass/telemetry';
import type { Logger } from '@callpass/program/log';
import { Refusal } from '../errors/refusal.ts';
import type { Settings } from '../settings/schema.ts';
import {
  ClockGuard,
  contradiction,
  MACHINES_WITHIN_MS,
  type ClockDirection,
  type ClockDoubt,
  type ClockReference,
  type ClockSource,
} from './clock-guard.ts';
import { readReference } from './read-reference.ts';

/** The clock as issuing sees it. */
export interface TrustedClock {
  /** True when it could be trusted at the last look, a quarter of a second ago at most. */
  readonly trusted: boolean;
  /** Cause for which it is not trusted; `undefined` while it is. */
  readonly doubt: ClockDoubt | undefined;
  /** Looks at the clock. Throws a Refusal `CLOCK_UNTRUSTED` while it cannot be trusted. */
  assertTrusted(): void;
}

const INTERVAL_MS = 250;

/** Interval of the looks at the store. */
const COMPARE_EVERY_MS = 1000;

/** A look that is older says nothing of now. */
const REFERENCE_FOR_MS = 10_000;

/** Time for which an operator's word holds: long enough for a restart of all instances, too short to be left behind. */
const CONFIRMED_FOR_MS = 15 * 60_000;

const DIRECTIONS: readonly ClockDirection[] = ['forward', 'backward'];

/** Texts for operators. */
const DOUBTS: Readonly<Record<ClockDoubt, string>> = {
  STEPPED: 'the clock is not steady: nothing is issued',
  UNCONFIRMED:
    'the clock is steady, but nothing shows that it is right: nothing is issued until the database agrees, the step is undone, or an operator has looked and restarts this server',
  DATABASE_DIFFERS:
    'the clock differs from the clock of the database: nothing is issued until they agree, or an operator says that this one is right (clock.confirmedAt)',
  LEDGER_AHEAD:
    'the ledger has credentials from later than the clock says: nothing is issued until it is as late, or an operator says that the clock is right (clock.confirmedAt)',
};

/** The clocks of this machine. */
export const SYSTEM_CLOCKS: ClockSource = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleptMs: () => uptime() * 1000 - performance.now(),
};

/**
 * Watches the clock until it is stopped, and reports in log and metrics. Looks at the store first, and then every second
 * beside the calls.
 *
 * @throws {StoreError} when the store does not answer the first look.
 */
export async function watchClock(
  { clock }: Pick<Settings, 'clock'>,
  given: { source: ClockSource; store: Pick<Store, 'readTimes'>; log: Logger; make: Instruments },
): Promise<TrustedClock & { stop(): void }> {
  const { source, store, log, make } = given;
  const steps = make.counter(METRICS.clockSteps);
  // From the start at zero: a rate is of a rise, and the first of all would not be one.
  for (const direction of DIRECTIONS) steps(direction);
  const isConfirmed = wasConfirmed(clock.confirmedAt, source);
  const guard = new ClockGuard({
    source,
    isConfirmed,
    maxStepMs: clock.maxStep,
    steadyAfterMs: clock.steadyAfter,
    events: {
      onStep(direction, offsetMs) {
        steps(direction).add();
        log.error({ direction, offsetMs: Math.round(offsetMs) }, 'the clock has stepped: issuing stops');
      },
      onTrusted() {
        log.warn('the clock is steady and confirmed: issuing goes on');
      },
    },
  });
  const logDoubts = createDoubtLog(guard, log);
  const first = await readReference(source, store);
  if (first) guard.compare(first);
  logDoubts();
  if (isConfirmed) log.warn('the clock is trusted on the word of an operator (clock.confirmedAt)');
  measureClock(make, guard, source);
  let looking = false;
  const compare = async () => {
    if (looking) return;
    looking = true;
    const reference = await readReference(source, store).catch(() => undefined);
    if (reference) guard.compare(reference);
    looking = false;
  };
  const timers = [
    setInterval(() => {
      guard.observe();
      logDoubts();
    }, INTERVAL_MS),
    setInterval(() => void compare(), COMPARE_EVERY_MS),
  ];
  for (const timer of timers) timer.unref();
  return {
    get trusted() {
      return guard.trusted;
    },
    get doubt() {
      return guard.doubt;
    },
    assertTrusted() {
      guard.observe();
      if (!guard.trusted)
        throw new Refusal('CLOCK_UNTRUSTED', { rule: 'clock', retryAfterMs: guard.trustedInMs });
    },
    stop() {
      timers.forEach(clearInterval);
    },
  };
}

/** Tests that an operator says that it was this time a moment ago. */
function wasConfirmed(confirmedAtMs: number | undefined, source: ClockSource): boolean {
  if (confirmedAtMs === undefined) return false;
  const sinceMs = source.wallMs() - confirmedAtMs;
  return sinceMs >= -MACHINES_WITHIN_MS && sinceMs <= CONFIRMED_FOR_MS;
}

/** Logs each doubt once; also one of the other clock while this one is trusted. */
function createDoubtLog(guard: ClockGuard, log: Logger): () => void {
  let doubt: ClockDoubt | undefined;
  let contradicted: ClockDoubt | undefined;
  return () => {
    if (guard.doubt !== doubt) {
      doubt = guard.doubt;
      // A step has a line of its own.
      if (doubt !== undefined && doubt !== 'STEPPED') log.error(describe(guard.reference), DOUBTS[doubt]);
    }
    const now = guard.reference && contradiction(guard.reference);
    if (now === contradicted) return;
    contradicted = now;
    if (now !== undefined && guard.trusted)
      log.warn(
        describe(guard.reference),
        'the clock is trusted, but the clock of the database or of another instance differs',
      );
  };
}

function describe(reference: ClockReference | undefined): Record<string, number> {
  const rounded = { ledgerLeadMs: Math.round(reference?.ledgerLeadMs ?? 0) };
  const offsetMs = reference?.databaseOffsetMs;
  return offsetMs === undefined ? rounded : { databaseOffsetMs: Math.round(offsetMs), ...rounded };
}

function measureClock(make: Instruments, guard: ClockGuard, source: ClockSource): void {
  make.gauge(METRICS.clockOffset, () => guard.offsetMs / 1000);
  make.gauge(METRICS.clockTrusted, () => Number(guard.trusted));
  make.gauge(METRICS.clockDifference, (): Reading[] => {
    const { reference } = guard;
    if (!reference || source.monotonicMs() - reference.readAtMs > REFERENCE_FOR_MS) return [];
    const ledger: Reading = [-reference.ledgerLeadMs / 1000, 'ledger'];
    const offsetMs = reference.databaseOffsetMs;
    return offsetMs === undefined ? [ledger] : [[offsetMs / 1000, 'database'], ledger];
  });
}
