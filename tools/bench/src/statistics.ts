/** Median of some figures and how sure it is: the interval that holds the true median in 95 of 100 cases. */
export interface Estimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Largest chance that the true median is outside of an interval, on either side. */
const TAIL = 0.025;

/** Some figures together. */
export function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}

/** The middle of some figures; between the two middle ones when their number is even. NaN for none. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/**
 * Estimates the median by order statistics, which presume no distribution and let a single round that was disturbed count as
 * one round. With fewer than six figures the interval is all of them. NaN throughout if there is none or one is NaN.
 */
export function estimate(figures: readonly number[]): Estimate {
  if (figures.length === 0 || figures.some(Number.isNaN)) return { median: NaN, low: NaN, high: NaN };
  const sorted = figures.toSorted((a, b) => a - b);
  const left = leftOut(sorted.length);
  return {
    median: median(sorted),
    low: sorted[left] as number,
    high: sorted[sorted.length - 1 - left] as number,
  };
}

/** Number of figures at each end that the interval leaves out: as many as are beyond the median by chance. */
function leftOut(count: number): number {
  let term = 0.5 ** count;
  let sum = term;
  let left = 0;
  for (; sum <= TAIL && left < (count - 1) / 2; left++) {
    term *= (count - left) / (left + 1);
    sum += term;
  }
  return Math.max(0, left - 1);
}

/** Ratio of two series, taken within each round: what disturbed both cancels out. */
export function ratioOf(measured: readonly number[], baseline: readonly number[]): Estimate {
  return estimate(measured.map((figure, round) => figure / (baseline[round] as number)));
}

/** Distance of a ratio that should be 1 from it, as a factor of at least 1. */
export function strayOf({ low, high }: Estimate): number {
  return Math.max(high, 1 / low);
}

/** Half of the width of an interval, as a factor of at least 1 on its median. */
export function spreadOf({ low, high }: Estimate): number {
  return Math.sqrt(high / low);
}
