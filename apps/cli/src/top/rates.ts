import type { Sample } from './prometheus-text.ts';
import type { Scrape } from './scrape.ts';

/** Two scrapes of one instance, in the order of their time. */
export interface Between {
  readonly before: Scrape;
  readonly after: Scrape;
}

/** Increase of a series between two scrapes, for each second. */
export interface Rate {
  readonly labels: ReadonlyMap<string, string>;
  readonly perSecond: number;
}

/** Bucket of a histogram: the count of what was not above its bound. */
export interface Bucket {
  readonly upperBound: number;
  readonly count: number;
}

const BOUND = 'le';

/** The series of a metric. */
export function seriesOf({ samples }: Scrape, name: string): readonly Sample[] {
  return samples.filter((sample) => sample.name === name);
}

/** The value of a metric without labels, or of the first of its series. `undefined` where it is not a finite number. */
export function valueOf(scrape: Scrape, name: string): number | undefined {
  const value = seriesOf(scrape, name)[0]?.value;
  return Number.isFinite(value) ? value : undefined;
}

/** Rates of a counter. A series that is new began at 0, and one that has fallen was set back to 0 meanwhile. */
export function ratesOf({ before, after }: Between, name: string): readonly Rate[] {
  const seconds = (after.timeMs - before.timeMs) / 1000;
  if (!(seconds > 0)) return [];
  const earlier = valuesByLabels(before, name);
  return seriesOf(after, name).map(({ labels, value }) => ({
    labels,
    perSecond: increase(earlier.get(keyOf(labels)), value) / seconds,
  }));
}

/**
 * Buckets of what a histogram has counted between two scrapes, in the order of their bounds, added up for each group that
 * `groupOf` gives a series; those without a group are left out. A series of which any bucket has fallen was set back to 0 as a
 * whole.
 */
export function bucketsByGroup(
  between: readonly Between[],
  name: string,
  groupOf: (labels: ReadonlyMap<string, string>) => string | undefined,
): ReadonlyMap<string, readonly Bucket[]> {
  const groups = new Map<string, Map<number, number>>();
  for (const { before, after } of between) {
    const earlier = valuesByLabels(before, `${name}_bucket`);
    const histograms = Map.groupBy(seriesOf(after, `${name}_bucket`), ({ labels }) => keyOf(labels, BOUND));
    for (const series of histograms.values()) {
      const wasReset = series.some(({ labels, value }) => value < (earlier.get(keyOf(labels)) ?? 0));
      for (const { labels, value } of series) {
        const [group, bound] = [groupOf(labels), boundOf(labels.get(BOUND))];
        if (group === undefined || Number.isNaN(bound)) continue;
        const sums = groups.get(group) ?? new Map<number, number>();
        const added = increase(wasReset ? undefined : earlier.get(keyOf(labels)), value);
        groups.set(group, sums.set(bound, (sums.get(bound) ?? 0) + added));
      }
    }
  }
  return new Map([...groups].map(([group, sums]) => [group, cumulative(sums)]));
}

/** The counts of bounds as buckets, of which none has fewer than the one before. */
function cumulative(sums: ReadonlyMap<number, number>): readonly Bucket[] {
  let most = 0;
  return [...sums]
    .sort(([a], [b]) => a - b)
    .map(([upperBound, count]) => ({ upperBound, count: (most = Math.max(most, count)) }));
}

/**
 * Estimates a quantile, 0 to 1, as Prometheus does: the values of a bucket lie evenly between its bounds. What is above the last
 * finite bound counts as that bound. `undefined` where nothing was counted.
 */
export function quantileOf(buckets: readonly Bucket[], quantile: number): number | undefined {
  const total = buckets.at(-1)?.count ?? 0;
  if (!(total > 0)) return undefined;
  const rank = quantile * total;
  const index = buckets.findIndex(({ count }) => count >= rank && count > 0);
  const { upperBound, count } = buckets[index] ?? { upperBound: Infinity, count: total };
  const { upperBound: lowerBound, count: below } = buckets[index - 1] ?? { upperBound: 0, count: 0 };
  if (upperBound === Infinity) return index > 0 ? lowerBound : undefined;
  if (upperBound <= 0 || count === below) return upperBound;
  return lowerBound + ((upperBound - lowerBound) * (rank - below)) / (count - below);
}

/** The increase of a counter. What is no finite number counts as nothing. */
function increase(before: number | undefined, after: number): number {
  const from = before === undefined || !(before <= after) ? 0 : before;
  const added = after - from;
  return Number.isFinite(added) && added > 0 ? added : 0;
}

function valuesByLabels(scrape: Scrape, name: string): ReadonlyMap<string, number> {
  return new Map(seriesOf(scrape, name).map(({ labels, value }) => [keyOf(labels), value]));
}

/** One text for equal labels, in whatever order they stand. */
function keyOf(labels: ReadonlyMap<string, string>, without?: string): string {
  return JSON.stringify(
    [...labels].filter(([name]) => name !== without).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function boundOf(text = ''): number {
  return text === '+Inf' ? Infinity : text === '' ? NaN : Number(text);
}
