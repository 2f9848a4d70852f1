import type {
  ReplayCaveat,
  ReplayCounts,
  ReplayDifference,
  ReplayExample,
  ReplayHour,
} from './replay-report.ts';
import { WEEK_HOURS } from './week-hour.ts';

/** Examples of a difference. */
const MAX_EXAMPLES = 5;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Difference extends Writable<Omit<ReplayDifference, 'examples'>> {
  readonly examples: ReplayExample[];
}

type Counts = Writable<ReplayCounts>;

/** A request whose outcome differs. */
export type DifferentRequest = Omit<ReplayDifference, 'count' | 'firstTimeMs' | 'lastTimeMs' | 'examples'> &
  ReplayExample;

/** Counts of a replay. What it holds grows with rules, destinations and clients, not with requests. */
export class ReplayTally {
  readonly #differences = new Map<string, Difference>();
  readonly #caveats = new Map<string, Writable<ReplayCaveat>>();
  readonly #sum = noCounts();
  readonly #hours = Array.from({ length: WEEK_HOURS }, noCounts);

  /** Counts a request, and in its hour of the week. */
  add(weekHour: number, counted: keyof ReplayCounts): void {
    for (const counts of [this.#sum, this.#hours[weekHour]]) if (counts) counts[counted]++;
  }

  /** Counts a request whose outcome differs. */
  differ(request: DifferentRequest): void {
    const { timeMs, issuanceId, traceId, outcome, reason, rule, destination, client, limit } = request;
    const name = [outcome, reason, rule, destination, client].join('\n');
    let difference = this.#differences.get(name);
    if (difference === undefined) {
      const of = { outcome, reason, rule, destination, client, limit };
      difference = { ...of, count: 0, firstTimeMs: timeMs, lastTimeMs: timeMs, examples: [] };
      this.#differences.set(name, difference);
    }
    difference.count++;
    difference.firstTimeMs = Math.min(difference.firstTimeMs, timeMs);
    difference.lastTimeMs = Math.max(difference.lastTimeMs, timeMs);
    if (difference.examples.length < MAX_EXAMPLES) difference.examples.push({ timeMs, issuanceId, traceId });
  }

  /** Counts what could not be replayed, or not in full. */
  leaveOut(cause: ReplayCaveat['cause'], count = 1, reason = ''): void {
    const name = `${cause}\n${reason}`;
    const caveat = this.#caveats.get(name);
    if (caveat) caveat.count += count;
    else this.#caveats.set(name, { cause, reason, count });
  }

  get sum(): ReplayCounts {
    return { ...this.#sum };
  }

  /** The most frequent first. */
  get differences(): ReplayDifference[] {
    return [...this.#differences.values()].sort((a, b) => b.count - a.count);
  }

  get caveats(): ReplayCaveat[] {
    return [...this.#caveats.values()];
  }

  get hours(): ReplayHour[] {
    return this.#hours.map((counts, at) => ({ weekday: Math.floor(at / 24), hour: at % 24, ...counts }));
  }
}

const noCounts = (): Counts => ({ issued: 0, refused: 0, wouldBeRefused: 0, wouldBeGranted: 0 });
