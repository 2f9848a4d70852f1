/** One thing that is measured: runs for one round and gives its speed, more being better. */
export interface Contestant {
  readonly name: string;
  runRound(): Promise<number> | number;
}

/** Number of rounds. */
export interface Rounds {
  /** Rounds that count, at least 1. */
  readonly measured: number;
  /** Rounds before them that do not: they fill caches and let the compiler do its work. */
  readonly warmUp: number;
}

/** The speeds of one contestant, one a round. */
export interface Speeds {
  readonly median: number;
  readonly rounds: readonly number[];
}

/** Ratio of two speeds: median, minimum and maximum. */
export interface Ratio {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Lets the contestants run in turn, round by round, so that a machine that is busy for a while slows all of them alike.
 * Gives the speeds in the order of the contestants.
 */
export async function runInterleaved(
  contestants: readonly Contestant[],
  { measured, warmUp }: Rounds,
  onRound: (round: { number: number; of: number; warmUp: boolean; speeds: readonly number[] }) => void,
): Promise<Speeds[]> {
  const rounds: number[][] = [];
  for (let number = 1; number <= warmUp + measured; number++) {
    const speeds: number[] = [];
    for (const contestant of contestants) speeds.push(await contestant.runRound());
    if (number > warmUp) rounds.push(speeds);
    onRound({ number, of: warmUp + measured, warmUp: number <= warmUp, speeds });
  }
  return contestants.map((_, index) => {
    const own = rounds.map((speeds) => speeds[index] as number);
    return { median: median(own), rounds: own };
  });
}

/** The ratio of two contestants, taken within each round: what slowed both cancels out. */
export function ratioOf(measured: Speeds, baseline: Speeds): Ratio {
  const ratios = measured.rounds.map((speed, round) => speed / (baseline.rounds[round] as number));
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}

/** The middle of some figures; between the two middle ones when their number is even. NaN for none. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}
