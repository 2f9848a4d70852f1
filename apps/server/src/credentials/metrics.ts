import type { LimitCheck, LimitReading } from '@callpass/domain';
import {
  LABEL_OTHER,
  METRICS,
  REASON_NONE,
  type Cell,
  type Instruments,
  type LimitTakeOutcome,
  type Reading,
} from '@callpass/telemetry';
import { SlidingMinimum } from './sliding-minimum.ts';

/** Receives what the use cases of credentials did. Cheap enough for every request. */
export interface CredentialMetrics {
  /** A credential was granted. The destination is one of the configuration. */
  issued(destination: string): void;
  /** A credential was not granted, and why. Destinations that do not exist are given as {@link LABEL_OTHER}. */
  notIssued(decision: 'refused' | 'failed', reason: string, destination: string): void;
  /** Counts a token or set that was validated. */
  validated(verdict: string): void;
  /** Limits as they stand after a take; `refusedBy` where one of them refused. */
  limited(destination: string, readings: readonly LimitReading[], refusedBy?: LimitCheck): void;
}

/** So much of a limit is left, or less: near. */
const NEAR_SHARE = 0.2;

/** Limits whose headroom is followed, at most. */
const MAX_FOLLOWED = 1000;

/** A limit of a destination: the least that was left of it of late, and its counters where they were used. */
interface FollowedLimit {
  readonly lowest: SlidingMinimum;
  readonly taken: Partial<Record<LimitTakeOutcome, Cell>>;
}

/** Counters of decisions, verdicts and limits. */
export function createCredentialMetrics(make: Instruments): CredentialMetrics {
  const decisions = make.counter(METRICS.issueDecisions);
  const verdicts = make.counter(METRICS.validateVerdicts);
  const takes = make.counter(METRICS.limitTakes);
  const followed = new Map<string, Map<string, FollowedLimit>>();
  const issued = new Map<string, Cell>();
  let limits = 0;

  make.gauge(METRICS.limitHeadroom, () => {
    const nowMs = performance.now();
    const readings: Reading[] = [];
    for (const [destination, ofDestination] of followed) {
      for (const [limit, { lowest }] of ofDestination) {
        const share = lowest.at(nowMs);
        if (share !== undefined) readings.push([share, destination, limit]);
      }
    }
    return readings;
  });

  /** State kept of a limit; beyond the first {@link MAX_FOLLOWED} a limit has counts only, and no headroom. */
  const find = (destination: string, limit: string): FollowedLimit | undefined => {
    const ofDestination = followed.get(destination) ?? new Map<string, FollowedLimit>();
    followed.set(destination, ofDestination);
    const known = ofDestination.get(limit);
    if (known !== undefined || limits >= MAX_FOLLOWED) return known;
    limits++;
    const added: FollowedLimit = { lowest: new SlidingMinimum(), taken: {} };
    ofDestination.set(limit, added);
    return added;
  };

  return {
    issued(destination) {
      let cell = issued.get(destination);
      if (cell === undefined) {
        cell = decisions('issued', REASON_NONE, destination);
        issued.set(destination, cell);
      }
      cell.add();
    },
    notIssued: (decision, reason, destination) => {
      decisions(decision, reason, destination).add();
    },
    validated: (verdict) => {
      verdicts(verdict).add();
    },
    limited(destination, readings, refusedBy) {
      const nowMs = performance.now();
      for (const { check, taken } of readings) {
        // Where one refuses, nothing is taken from the others.
        if (refusedBy !== undefined && refusedBy.key !== check.key) continue;
        const outcome = outcomeOf(check, taken, refusedBy);
        const limit = find(destination, check.name);
        if (limit === undefined) {
          takes(outcome, destination, check.name).add();
          continue;
        }
        (limit.taken[outcome] ??= takes(outcome, destination, check.name)).add();
        if (taken !== undefined) limit.lowest.note(shareLeft(check, taken), nowMs);
      }
    },
  };
}

/** The destination as a label: only names of the configuration are told apart. */
export function destinationLabel(known: boolean, destination: string): string {
  return known ? destination : LABEL_OTHER;
}

/** The least share of any of these limits that is left, 0 to 1; `undefined` where none could be counted. */
export function leastShareLeft(readings: readonly LimitReading[]): number | undefined {
  const shares = readings.flatMap(({ check, taken }) =>
    taken === undefined ? [] : [shareLeft(check, taken)],
  );
  return shares.length === 0 ? undefined : Math.min(...shares);
}

function shareLeft({ max }: LimitCheck, taken: number): number {
  return max <= 0 ? 0 : Math.max(0, 1 - taken / max);
}

function outcomeOf(
  check: LimitCheck,
  taken: number | undefined,
  refusedBy: LimitCheck | undefined,
): LimitTakeOutcome {
  if (taken === undefined) return 'unavailable';
  if (refusedBy !== undefined) return 'refused';
  if (check.shadow && taken > check.max) return 'shadow';
  return shareLeft(check, taken) <= NEAR_SHARE ? 'near' : 'allowed';
}
