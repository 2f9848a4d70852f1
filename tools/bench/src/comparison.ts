import { ratioOf, estimate, spreadOf, strayOf, type Estimate } from './statistics.ts';
import type { Sample } from './rounds.ts';

/** Measures that are compared, first the one that other programs on the machine disturb least. */
export const MEASURES = {
  mainThread: { title: 'CPU, main thread', good: 'less', of: (sample: Sample) => sample.mainThreadUs },
  allThreads: { title: 'CPU, all threads', good: 'less', of: (sample: Sample) => sample.allThreadsUs },
  throughput: { title: 'throughput', good: 'more', of: (sample: Sample) => sample.perSecond },
  p50: { title: 'p50', good: 'less', of: (sample: Sample) => sample.p50Ms ?? NaN },
} as const;

/** One of {@link MEASURES}. */
export type Measure = keyof typeof MEASURES;

/** Targets of a row: of ratios, and of the rate itself. */
export interface Targets extends Partial<Readonly<Record<Measure, number>>> {
  /** Least rate per second, in the unit of the row. */
  readonly perSecond?: number;
}

/** Verdict on a figure. Only a run that was quiet enough for its target says that it is met, or that it is not. */
export type Verdict = 'met' | 'not met' | 'too noisy to say' | 'not measured here';

/** Figure of a row, and what it should come to. */
export interface Figure {
  readonly measure: Measure | 'perSecond';
  readonly value: Estimate;
  readonly target: number | undefined;
  /** `undefined` without a target. */
  readonly verdict: Verdict | undefined;
}

/** Comparison of two contestants of one run. */
export interface BenchRow {
  readonly name: string;
  readonly baselineName: string;
  /** Unit of work, in the plural. */
  readonly unit: string;
  readonly measured: Summary;
  readonly baseline: Summary;
  readonly figures: readonly Figure[];
}

/** Medians of a contestant. */
export type Summary = Readonly<Record<'perSecond' | 'mainThreadUs' | 'allThreadsUs' | 'p50Ms', number>>;

/** Factor by which the ratio of a program to itself strays from 1 in this run, by measure. */
export type Noise = Readonly<Record<Measure, number>>;

/** Noise of a run, from the samples of its yardstick and of a second copy of it. */
export function noiseOf(yardstick: readonly Sample[], again: readonly Sample[]): Noise {
  const stray = (measure: Measure) => strayOf(ratioBy(measure, again, yardstick));
  return {
    mainThread: stray('mainThread'),
    allThreads: stray('allThreads'),
    throughput: stray('throughput'),
    p50: stray('p50'),
  };
}

/** Compares the samples of two contestants, round by round. */
export function compare(plan: {
  readonly name: string;
  readonly baselineName: string;
  readonly unit: string;
  readonly targets: Targets;
  readonly measured: readonly Sample[];
  readonly baseline: readonly Sample[];
  readonly noise: Noise;
}): BenchRow {
  const { name, baselineName, unit, targets, measured, baseline, noise } = plan;
  const ratios = (Object.keys(MEASURES) as Measure[])
    .filter((measure) => measure !== 'p50' || targets.p50 !== undefined)
    .map((measure): Figure => {
      const value = ratioBy(measure, measured, baseline);
      const target = targets[measure];
      const { good } = MEASURES[measure];
      const verdict =
        target === undefined ? undefined : verdictOf(value, { good, target, noise: noise[measure] });
      return { measure, value, target, verdict };
    });
  const rate = estimate(measured.map(({ perSecond }) => perSecond));
  const target = targets.perSecond;
  const rates: Figure[] = target
    ? [
        {
          ...{ measure: 'perSecond', value: rate, target },
          verdict: verdictOf(rate, { good: 'more', target, noise: noise.throughput }),
        },
      ]
    : [];
  return {
    ...{ name, baselineName, unit, measured: summaryOf(measured), baseline: summaryOf(baseline) },
    figures: [...ratios, ...rates],
  };
}

/**
 * Judges a figure. It is met, or not met, if that would also be so with an error of the size of the run's noise or of the
 * figure's own spread, whichever is larger.
 */
export function verdictOf(
  value: Estimate,
  { good, target, noise }: { good: 'less' | 'more'; target: number; noise: number },
): Verdict {
  if (Number.isNaN(value.median)) return 'not measured here';
  const doubt = Math.max(noise, spreadOf(value));
  const excess = good === 'less' ? value.median / target : target / value.median;
  if (excess <= 1 / doubt) return 'met';
  return excess > doubt ? 'not met' : 'too noisy to say';
}

function ratioBy(measure: Measure, measured: readonly Sample[], baseline: readonly Sample[]): Estimate {
  const { of } = MEASURES[measure];
  return ratioOf(measured.map(of), baseline.map(of));
}

function summaryOf(samples: readonly Sample[]): Summary {
  const middle = (of: (sample: Sample) => number) => estimate(samples.map(of)).median;
  return {
    perSecond: middle(({ perSecond }) => perSecond),
    mainThreadUs: middle(({ mainThreadUs }) => mainThreadUs),
    allThreadsUs: middle(({ allThreadsUs }) => allThreadsUs),
    p50Ms: middle(({ p50Ms = NaN }) => p50Ms),
  };
}
