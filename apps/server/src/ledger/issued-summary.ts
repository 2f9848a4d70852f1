import {
  mergeIssued,
  type Clock,
  type Freeze,
  type IssuedCounts,
  type IssuedFilter,
  type RealmKeyRecord,
  type Store,
} from '@callpass/domain';
import { loadWiped } from '../state/load-wiped.ts';

/** The credentials that were issued, and what stops them. Times in milliseconds since the epoch. */
export interface IssuedSummary {
  readonly timeMs: number;
  /** By client, destination and key, the largest first. */
  readonly groups: readonly IssuedCounts[];
  /** Freezes in force of what was asked for, or of what a group names. */
  readonly freezes: readonly Freeze[];
  /** Every key of the realms that are concerned. */
  readonly keys: readonly RealmKeyRecord[];
}

/** Positions that were read, of all. */
export interface SummaryProgress {
  readonly read: number;
  readonly total: number;
}

/** Ports that a summary needs. */
export interface SummaryDependencies {
  readonly store: Pick<Store, 'countIssued' | 'loadState'>;
  readonly clock: Clock;
}

/**
 * Counts what was issued, in steps between which the store serves others, and says after each how far it is. Entries that
 * are written meanwhile are not counted. Ends early, without a result, when the signal aborts.
 */
export async function* summarizeIssued(
  { store, clock }: SummaryDependencies,
  filter: IssuedFilter,
  signal: AbortSignal,
): AsyncGenerator<SummaryProgress, IssuedSummary | undefined> {
  const nowMs = clock.now();
  let groups: readonly IssuedCounts[] = [];
  let position = 0;
  let end = Infinity;
  while (position < end) {
    if (signal.aborted) return undefined;
    const step = await store.countIssued({ ...filter, afterPosition: position, nowMs });
    groups = mergeIssued([groups, step.groups]);
    position = step.position;
    end = Math.min(end, step.lastPosition);
    yield { read: position, total: end };
  }
  const { keys, freezes } = await loadWiped(store);
  const realms = new Set([filter.realm, ...groups.map(({ realm }) => realm)]);
  return {
    timeMs: nowMs,
    groups,
    freezes: freezes.filter((freeze) => isConcerned(freeze, filter, groups) && isInForce(freeze, nowMs)),
    keys: keys.filter(({ realm }) => realms.has(realm)),
  };
}

function isInForce({ untilMs }: Freeze, nowMs: number): boolean {
  return untilMs === undefined || nowMs < untilMs;
}

function isConcerned({ scope }: Freeze, asked: IssuedFilter, groups: readonly IssuedCounts[]): boolean {
  const { value } = scope;
  switch (scope.kind) {
    case 'REALM':
      return asked.realm === value || groups.some(({ realm }) => realm === value);
    case 'DESTINATION':
      return groups.some(({ destination }) => destination === value);
    case 'CLIENT':
      return asked.client === value || groups.some(({ client }) => client === value);
    case 'SUBJECT':
      return asked.subjectHash === value;
  }
}
