import { METRICS, type Instruments } from '@callpass/telemetry';
import type { Logger } from '@callpass/program/log';
import { Refusal } from '../errors/refusal.ts';
import type { Settings } from '../settings/schema.ts';
import { ClockGuard, type ClockDirection, type ClockSource } from './clock-guard.ts';

/** The clock as issuing sees it. */
export interface TrustedClock {
  /** True when it could be trusted at the last look, a quarter of a second ago at most. */
  readonly trusted: boolean;
  /** Looks at the clock. Throws a Refusal `CLOCK_UNTRUSTED` while it cannot be trusted. */
  assertTrusted(): void;
}

const INTERVAL_MS = 250;
const DIRECTIONS: readonly ClockDirection[] = ['forward', 'backward'];

/** The clocks of this machine. */
export const SYSTEM_CLOCKS: ClockSource = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** Watches the clock until it is stopped, and reports steps in log and metrics. */
export function watchClock(
  { clock }: Settings,
  { source, log, make }: { source: ClockSource; log: Logger; make: Instruments },
): TrustedClock & { stop(): void } {
  const steps = make.counter(METRICS.clockSteps);
  // From the start at zero: a rate is of a rise, and the first of all would not be one.
  for (const direction of DIRECTIONS) steps(direction);
  const guard = new ClockGuard({
    source,
    maxStepMs: clock.maxStep,
    steadyAfterMs: clock.steadyAfter,
    events: {
      onStep(direction, offsetMs) {
        steps(direction).add();
        log.error({ direction, offsetMs: Math.round(offsetMs) }, 'the clock has stepped: issuing stops');
      },
      onTrusted() {
        log.warn('the clock has been steady: issuing goes on');
      },
    },
  });
  make.gauge(METRICS.clockOffset, () => guard.offsetMs / 1000);
  make.gauge(METRICS.clockTrusted, () => Number(guard.trusted));
  const timer = setInterval(() => {
    guard.observe();
  }, INTERVAL_MS).unref();
  return {
    get trusted() {
      return guard.trusted;
    },
    assertTrusted() {
      guard.observe();
      if (!guard.trusted)
        throw new Refusal('CLOCK_UNTRUSTED', { rule: 'clock', retryAfterMs: guard.trustedInMs });
    },
    stop() {
      clearInterval(timer);
    },
  };
}
