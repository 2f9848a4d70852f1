import { METRICS, type Instruments, type Reading } from '@callpass/telemetry';
import type { Staleness } from './current-state.ts';
import type { Snapshot } from './snapshot.ts';

/** Realms whose keys are reported, at most. */
const MAX_REALMS = 500;

/** The part of the state in force that is measured. */
export interface MeasuredState {
  readonly snapshot: Snapshot;
  /** Time at which the store last confirmed it, on the clock of `performance.now()`. */
  readonly confirmedAtMs: number;
  readonly staleness: Staleness | undefined;
  /** The store is not as this service left it. */
  readonly altered: boolean;
}

const STALENESS = ['TOO_OLD', 'SEALED_ANEW', 'UNREADABLE'] as const satisfies readonly Staleness[];

/** Measures the state in force: its revision and age, and the age of the keys that encrypt. */
export function measureState(
  make: Instruments,
  state: MeasuredState,
  options: { rotateAfterMs: number; now: () => number },
): void {
  make.gauge(METRICS.configurationRevision, () => state.snapshot.revision);
  make.gauge(METRICS.snapshotAge, () => (performance.now() - state.confirmedAtMs) / 1000);
  make.gauge(METRICS.snapshotStale, () =>
    STALENESS.map((cause): Reading => [Number(state.staleness === cause), cause]),
  );
  make.gauge(METRICS.stateAltered, () => Number(state.altered));
  make.gauge(METRICS.keyAge, () => keyAges(state.snapshot, options.now()));
  make.gauge(METRICS.keyRotationDue, () =>
    keyAges(state.snapshot, options.now()).map(([age, realm]): Reading => [
      options.rotateAfterMs / 1000 - age,
      realm,
    ]),
  );
}

/** Seconds since the active key of each realm was activated. */
function keyAges({ realms }: Snapshot, nowMs: number): [age: number, realm: string][] {
  const ages: [number, string][] = [];
  for (const [name, { active }] of realms) {
    if (ages.length === MAX_REALMS) break;
    const activated = active?.record.activateTimeMs;
    if (activated !== undefined) ages.push([(nowMs - activated) / 1000, name]);
  }
  return ages;
}
