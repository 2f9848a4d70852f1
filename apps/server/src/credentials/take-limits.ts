import {
  LimiterError,
  refusingUncounted,
  uncounted,
  uncountedRule,
  type LimitCheck,
  type Limiter,
  type LimitOutcome,
  type LimitReading,
} from '@callpass/domain';
import { ATTR_LIMIT_HEADROOM, ATTR_LIMIT_OUTCOME, SPAN_TAKE_LIMIT } from '@callpass/telemetry';
import { Refusal } from '../errors/refusal.ts';
import { step } from '../errors/steps.ts';
import { leastShareLeft, type CredentialMetrics } from './metrics.ts';

/** Context of a take: destination, time and metrics. */
export interface TakeScope {
  readonly destination: string;
  readonly nowMs: number;
  readonly metrics: Pick<CredentialMetrics, 'limited'>;
}

/**
 * Counts one credential against its limits. Where the counters are out of reach each limit says itself what happens: one
 * that refuses is enough to refuse.
 *
 * @returns how each limit stands now; `taken` is `undefined` for what was granted without being counted.
 * @throws {Refusal} `LIMIT_EXCEEDED` with the time to come back, or `LIMITER_UNAVAILABLE`, with the limit as the rule.
 */
export function takeLimits(
  limiter: Limiter,
  checks: readonly LimitCheck[],
  { destination, nowMs, metrics }: TakeScope,
): Promise<readonly LimitReading[]> | readonly LimitReading[] {
  if (checks.length === 0) return [];
  return step(SPAN_TAKE_LIMIT, (span) => {
    const settle = (outcome: LimitOutcome): readonly LimitReading[] => {
      const { readings } = outcome;
      if (span.recording) span.set({ [ATTR_LIMIT_HEADROOM]: leastShareLeft(readings) });
      metrics.limited(destination, readings, outcome.allowed ? undefined : outcome.limit);
      if (outcome.allowed) return readings;
      throw limitExceeded(outcome.limit, { destination, retryAfterMs: outcome.retryAfterMs });
    };
    const goUncounted = (error: unknown): readonly LimitReading[] => {
      if (!(error instanceof LimiterError)) throw error;
      span.set({ [ATTR_LIMIT_OUTCOME]: 'unavailable' });
      metrics.limited(destination, uncounted(checks));
      assertMayGoUncounted(checks, error);
      return uncounted(checks);
    };
    const outcome = limiter.take(checks, nowMs);
    return outcome instanceof Promise ? outcome.then(settle, goUncounted) : settle(outcome);
  });
}

/** Refuses a request whose limits cannot be counted, unless each of them allows that. */
export function assertMayGoUncounted(checks: readonly LimitCheck[], cause: LimiterError): void {
  const refusing = refusingUncounted(checks);
  if (refusing) throw new Refusal('LIMITER_UNAVAILABLE', { rule: refusing.name, cause });
}

/** The refusal of a full limit. */
export function limitExceeded(
  limit: LimitCheck,
  { destination, retryAfterMs }: { destination: string; retryAfterMs: number },
): Refusal {
  return new Refusal('LIMIT_EXCEEDED', {
    rule: limit.name,
    retryAfterMs,
    quota: {
      subject: `destination:${destination}`,
      description: `${limit.name}: ${limit.max} in ${limit.windowMs / 1000} s`,
    },
  });
}

/**
 * The rule that the ledger records for a credential that was granted although a limit did not hold it: a shadow limit that
 * would have refused, or a limit that could not be counted. Empty where all were counted and held.
 */
export function unenforcedRule(readings: readonly LimitReading[]): string {
  const first = readings.find(
    ({ check, taken }) => taken === undefined || (check.shadow && taken > check.max),
  );
  if (!first) return '';
  const { name } = first.check;
  return first.taken === undefined ? uncountedRule(name) : `shadow ${name}`;
}
