import { countedTogether, isUncounted, removedBeforeMs, type EntryFields } from '@callpass/ledger';
import { COARSEST_TIME_UNIT_MS, issuanceTimeMs } from '../issuance-id.ts';
import { ProposedRules } from './proposed-rules.ts';
import { ReplayTally } from './replay-tally.ts';
import type { ReplayCounts, ReplayPlan, ReplayReason, ReplayReport } from './replay-report.ts';
import { weekHours } from './week-hour.ts';

/** Fields of an entry that a replay looks at. */
export type ReplayEntry = Pick<
  EntryFields,
  | 'kind'
  | 'timeMs'
  | 'client'
  | 'destination'
  | 'realm'
  | 'callee'
  | 'caller'
  | 'subjectHash'
  | 'reason'
  | 'rule'
  | 'traceId'
  | 'issuanceId'
>;

/** Reasons of refusals that a configuration decides, so that they may come out otherwise under another one. */
const DECIDED_BY_CONFIGURATION: ReadonlySet<string> = new Set<ReplayReason>([
  'CLIENT_NOT_GRANTED',
  'DESTINATION_UNKNOWN',
  'DESTINATION_DISABLED',
  'DESTINATION_CLOSED',
  'SUBJECT_REQUIRED',
  'CALLEE_NOT_ALLOWED',
  'CALLER_NOT_ALLOWED',
  'LIMIT_EXCEEDED',
]);

/**
 * Tries a configuration on recorded requests, one after the other in the order of the ledger. Counters of limits are empty at
 * its beginning and hold windows that run, so memory grows with the visitors of one window, not with the ledger.
 */
export class Replay {
  readonly #plan: ReplayPlan;
  readonly #rules: ProposedRules;
  readonly #tally = new ReplayTally();
  readonly #weekHour: (timeMs: number) => number;
  readonly #inForce: ReadonlyMap<string, ReplayPlan['inForce'][number]>;
  readonly #removedCount: number;
  #removedUntilMs = 0;
  #firstTimeMs: number | undefined;
  #lastTimeMs: number | undefined;

  /** @param removedCount entries that retention has removed from the ledger */
  constructor(plan: ReplayPlan, removedCount: number) {
    this.#plan = plan;
    this.#rules = new ProposedRules(plan);
    this.#weekHour = weekHours(plan.timeZone);
    this.#inForce = new Map(plan.inForce.map((each) => [each.id, each]));
    this.#removedCount = removedCount;
  }

  /** Takes the next entry of any kind. */
  add(entry: ReplayEntry): void {
    if (entry.kind === 'ENTRIES_REMOVED') {
      this.#removedUntilMs = Math.max(this.#removedUntilMs, removedBeforeMs(entry.reason) || 0);
    }
    if (entry.kind === 'ISSUED') this.#addIssued(entry);
    if (entry.kind === 'REFUSED') this.#addRefused(entry);
  }

  /** The report on what was taken so far. */
  get report(): ReplayReport {
    const { startTimeMs = 0, timeZone } = this.#plan;
    const { sum, differences, hours, caveats } = this.#tally;
    const removed = this.#removedCount > 0 && this.#removedUntilMs > startTimeMs;
    return {
      firstTimeMs: this.#firstTimeMs,
      lastTimeMs: this.#lastTimeMs,
      ...sum,
      differences,
      hours,
      timeZone,
      caveats: removed ? [...caveats, { cause: 'REMOVED', reason: '', count: this.#removedCount }] : caveats,
    };
  }

  #addIssued(entry: ReplayEntry): void {
    const timeMs = exactTimeMs(entry);
    const uncounted = isUncounted(entry.rule);
    const outcome = this.#rules.decide({ ...entry, timeMs, uncounted });
    if (!this.#isReported(entry)) return;
    this.#noteRequest(entry, timeMs, 'issued');
    if (uncounted) this.#tally.leaveOut('UNCOUNTED');
    if (outcome.granted) return;
    this.#count(timeMs, 'wouldBeRefused');
    if (this.#isDefault(entry, outcome.reason)) this.#tally.leaveOut('DEFAULT_ADDRESS');
    const { reason, rule, limit } = outcome;
    this.#tally.differ({ ...entry, timeMs, outcome: 'REFUSED', reason, rule, limit });
  }

  #addRefused(entry: ReplayEntry): void {
    const { reason, rule, timeMs } = entry;
    const together = countedTogether(rule);
    if (!isDecidedByConfiguration(entry)) {
      if (this.#isReported(entry)) this.#tally.leaveOut('REFUSED_OTHERWISE', together ?? 1, reason);
      return;
    }
    if (together !== undefined) {
      if (this.#isReported(entry)) this.#tally.leaveOut('COUNTED_TOGETHER', together);
      return;
    }
    // Whether its realm had a key then was not asked.
    const outcome = this.#rules.decide({ ...entry, realm: '', uncounted: false });
    if (!this.#isReported(entry)) return;
    this.#noteRequest(entry, timeMs, 'refused');
    if (!outcome.granted) return;
    this.#count(timeMs, 'wouldBeGranted');
    this.#tally.differ({ ...entry, outcome: 'GRANTED', reason: reason as ReplayReason, limit: undefined });
  }

  #isReported({ destination }: ReplayEntry): boolean {
    return this.#plan.destination === undefined || this.#plan.destination === destination;
  }

  #noteRequest(entry: ReplayEntry, timeMs: number, was: 'issued' | 'refused'): void {
    this.#firstTimeMs = Math.min(this.#firstTimeMs ?? timeMs, timeMs);
    this.#lastTimeMs = Math.max(this.#lastTimeMs ?? timeMs, timeMs);
    this.#count(timeMs, was);
    if (entry.subjectHash === '' && this.#rules.needsVisitor(entry.destination))
      this.#tally.leaveOut('NO_SUBJECT');
  }

  #count(timeMs: number, counted: keyof ReplayCounts): void {
    this.#tally.add(this.#weekHour(timeMs), counted);
  }

  #isDefault({ destination, callee, caller }: ReplayEntry, reason: ReplayReason): boolean {
    const inForce = this.#inForce.get(destination);
    if (reason === 'CALLEE_NOT_ALLOWED') return inForce?.callees[0] === callee;
    return reason === 'CALLER_NOT_ALLOWED' && inForce?.account === caller;
  }
}

/** Of a counted entry of a refused grant nobody knows the destination, nor of one for another RPC. */
function isDecidedByConfiguration({ destination, reason }: ReplayEntry): boolean {
  return destination !== '' && DECIDED_BY_CONFIGURATION.has(reason);
}

/** Time at which the limits were asked: entries of realms that count in seconds have it in their id only. */
function exactTimeMs({ timeMs, issuanceId }: ReplayEntry): number {
  const idMs = issuanceTimeMs(issuanceId);
  return idMs !== undefined && idMs > timeMs && idMs < timeMs + COARSEST_TIME_UNIT_MS ? idMs : timeMs;
}
