import { compare, noiseOf, type BenchRow, type Targets, type Verdict } from './comparison.ts';
import type { LatencyRow } from './latency/latency-row.ts';
import type { MeteredContestant } from './load-contestant.ts';
import { runInterleaved, type Contestant, type Rounds, type Sample } from './rounds.ts';

/** Bar on a figure that is no ratio of rounds. */
export interface Bar {
  /** Name of the figure, with what it should come to. */
  readonly text: string;
  readonly value: string;
  readonly verdict: Verdict;
}

/** Result of a part of the benchmark. */
export interface PartFigures {
  /** The yardstick against a second copy of it: how noisy the run was. */
  readonly calibration?: BenchRow;
  readonly rows: readonly BenchRow[];
  readonly latency?: readonly LatencyRow[];
  readonly bars?: readonly Bar[];
  readonly remarks: readonly string[];
}

/** Rounds of a part, and how long one lasts. */
export type PartRounds = Rounds & { readonly roundMs: number };

/** Comparison of two contestants of a part. */
export interface Comparison {
  readonly name: string;
  readonly baselineName: string;
  readonly unit: string;
  readonly targets: Targets;
  readonly measured: Contestant;
  readonly baseline: Contestant;
}

/** Runs the contestants of a part against each other, with a second copy of its yardstick to tell the noise. */
export async function runPart(plan: {
  readonly name: string;
  readonly yardstick: Contestant;
  readonly again: Contestant;
  readonly comparisons: readonly Comparison[];
  readonly rounds: Rounds;
  readonly progress: (text: string) => void;
}): Promise<PartFigures> {
  const { name, yardstick, again, comparisons, rounds, progress } = plan;
  const compared = comparisons.flatMap(({ measured, baseline }) => [baseline, measured]);
  // The copy comes last, as far from the yardstick as the round allows.
  const contestants = [...new Set([yardstick, ...compared, again])];
  const { samples, warmUp } = await runInterleaved(contestants, rounds, (round) => {
    const figures = contestants.map(
      (each, at) => `${each.name} ${Math.round(round.samples[at]?.perSecond ?? NaN)}/s`,
    );
    const number = round.warmUp ? `warm-up ${round.number}` : `round ${round.number} of ${rounds.measured}`;
    progress(`${name}: ${number}: ${figures.join(', ')}`);
  });
  const of = (contestant: Contestant): readonly Sample[] => samples[contestants.indexOf(contestant)] ?? [];
  const noise = noiseOf(of(yardstick), of(again));
  return {
    calibration: compare({
      ...{ name: `calibration of ${name}: ${yardstick.name}, again`, baselineName: yardstick.name },
      ...{ unit: comparisons[0]?.unit ?? '', targets: {}, noise },
      ...{ measured: of(again), baseline: of(yardstick) },
    }),
    rows: comparisons.map((each) =>
      compare({ ...each, noise, measured: of(each.measured), baseline: of(each.baseline) }),
    ),
    remarks: [
      ...(warmUp.stoodStill ? [] : [`${name}: the rates did not stand still in ${warmUp.rounds} rounds`]),
      ...contestants.filter(isMetered).map((each) => describeCores(each, rounds.measured)),
    ],
  };
}

function isMetered(contestant: Contestant): contestant is MeteredContestant {
  return 'cores' in contestant;
}

function describeCores(contestant: MeteredContestant, rounds: number): string {
  const { name, serverCores, generatorCores } = contestant.cores(rounds);
  return `${name}: ${serverCores.toFixed(2)} cores, load generator: ${generatorCores.toFixed(2)}`;
}

/** Has what was started stopped when its part ends, and gives it back. */
export type StopLater = <P extends { stop(): Promise<void> }>(started: P) => P;

/** Processes of a part, which have all ended when `measure` has settled. */
export async function withProcesses<T>(measure: (stopLater: StopLater) => Promise<T>): Promise<T> {
  const running = new AsyncDisposableStack();
  try {
    return await measure((started) => running.adopt(started, (each) => each.stop()));
  } finally {
    await running.disposeAsync();
  }
}
