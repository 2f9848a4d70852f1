import { median } from './statistics.ts';

/** One contestant in one round. NaN stands for what the system does not tell. */
export interface Sample {
  /** Units of work per second. */
  readonly perSecond: number;
  /** CPU time of the main thread for one unit, in microseconds. */
  readonly mainThreadUs: number;
  /** CPU time of all threads for one unit, in microseconds. */
  readonly allThreadsUs: number;
  /** Median latency of a unit in ms, where it is what counts. */
  readonly p50Ms?: number;
}

/** Program under measurement. */
export interface Contestant {
  readonly name: string;
  runRound(): Promise<Sample> | Sample;
}

/** Number of rounds. */
export interface Rounds {
  /** Rounds that count, at least 1. */
  readonly measured: number;
  /** Most rounds before them: the warm-up ends when the rates stand still, at the latest after so many. */
  readonly warmUpAtMost: number;
}

/** Result of {@link runInterleaved}. */
export interface InterleavedRounds {
  /** Samples of each contestant, in the order of the contestants. */
  readonly samples: readonly (readonly Sample[])[];
  readonly warmUp: { readonly rounds: number; readonly stoodStill: boolean };
}

/** Rounds that are compared with as many before them. */
const WINDOW = 3;

/** A rate stands still if the last rounds are not faster than those before by more than this. */
const RISE = 1.03;

/**
 * Checks if a rate has stopped to rise. Only a rise counts: caches and compilers make a program faster, and a neighbour on
 * the machine makes it slower and faster at any time.
 */
export function standsStill(rates: readonly number[]): boolean {
  if (rates.length < 2 * WINDOW) return false;
  const last = median(rates.slice(-WINDOW));
  return last <= RISE * median(rates.slice(-2 * WINDOW, -WINDOW));
}

/**
 * Lets the contestants run in turn, round by round, so that a machine that is busy for a while disturbs all of them alike:
 * first until the rate of each stands still, then for the rounds that count.
 */
export async function runInterleaved(
  contestants: readonly Contestant[],
  { measured, warmUpAtMost }: Rounds,
  onRound: (round: { number: number; warmUp: boolean; samples: readonly Sample[] }) => void,
): Promise<InterleavedRounds> {
  const run = async (number: number, warmUp: boolean): Promise<Sample[]> => {
    const samples: Sample[] = [];
    for (const contestant of contestants) samples.push(await contestant.runRound());
    onRound({ number, warmUp, samples });
    return samples;
  };
  const warm: Sample[][] = [];
  const stoodStill = () =>
    contestants.every((_, at) => standsStill(warm.map((samples) => samples[at]?.perSecond ?? NaN)));
  while (warm.length < warmUpAtMost && !stoodStill()) warm.push(await run(warm.length + 1, true));
  const counted: Sample[][] = [];
  for (let number = 1; number <= measured; number++) counted.push(await run(number, false));
  return {
    samples: contestants.map((_, at) => counted.map((samples) => samples[at] as Sample)),
    warmUp: { rounds: warm.length, stoodStill: stoodStill() },
  };
}
