import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parsePrometheusText } from './prometheus-text.ts';
import { type Between, bucketsByGroup, quantileOf, ratesOf } from './rates.ts';

const between = (before: string, after: string, seconds = 2): Between => ({
  before: { timeMs: 5000, samples: parsePrometheusText(before) },
  after: { timeMs: 5000 + seconds * 1000, samples: parsePrometheusText(after) },
});
const rates = (...of: Parameters<typeof between>) =>
  ratesOf(between(...of), 'c').map(({ perSecond }) => perSecond);

describe('ratesOf', () => {
  it.each([
    ['what was added, by the time between', 'c 10', 'c 30', [10]],
    ['all of a series that is new', '', 'c 30', [15]],
    ['all of a series that was set back', 'c 100', 'c 30', [15]],
    ['nothing for what is no number', 'c 1', 'c NaN', [0]],
    ['nothing for an infinite value', 'c 1', 'c +Inf', [0]],
    ['all of a series that was no number', 'c NaN', 'c 4', [2]],
    ['the same series with its labels in another order', 'c{a="1",b="2"} 2', 'c{b="2",a="1"} 4', [1]],
  ])('counts %s', (_, before, after, expected) => {
    expect(rates(before, after)).toEqual(expected);
  });

  it('has none where no time has passed', () => {
    expect(rates('c 1', 'c 2', 0)).toEqual([]);
  });
});

const histogram = (counts: readonly number[], label = '') =>
  ['1', '2', '4', '+Inf'].map((le, index) => `h_bucket{${label}le="${le}"} ${counts[index]}`).join('\n');
const p = (quantile: number, ...all: readonly Between[]) =>
  quantileOf(bucketsByGroup(all, 'h', () => '').get('') ?? [], quantile);

describe('quantileOf', () => {
  it.each([
    ['in the middle of a bucket', [0, 10, 10, 10], 0.5, 1.5],
    ['in the first bucket, from 0', [10, 10, 10, 10], 0.5, 0.5],
    ['at the end of a bucket', [5, 10, 10, 10], 0.5, 1],
    ['behind an empty bucket', [5, 5, 10, 10], 0.75, 3],
    ['above the last bound: that bound', [0, 0, 0, 10], 0.99, 4],
  ])('lies %s', (_, counts, quantile, expected) => {
    expect(p(quantile, between('', histogram(counts)))).toBeCloseTo(expected);
  });

  it('is of what was counted between the scrapes only', () => {
    expect(p(0.5, between(histogram([100, 100, 100, 100]), histogram([100, 110, 110, 110])))).toBeCloseTo(
      1.5,
    );
  });

  it('adds up series and instances', () => {
    const first = between(
      '',
      `${histogram([10, 10, 10, 10], 'a="1",')}\n${histogram([0, 10, 10, 10], 'a="2",')}`,
    );
    expect(p(0.75, first)).toBeCloseTo(1.5);
    expect(p(0.9, first, between('', histogram([0, 0, 20, 20])))).toBeCloseTo(3.6);
  });

  it('takes all of a series that was set back in any bucket', () => {
    expect(p(0.5, between(histogram([9, 9, 9, 9]), histogram([0, 10, 10, 10])))).toBeCloseTo(1.5);
  });

  it.each([
    ['nothing was counted', '', ''],
    ['there is one bucket, without end', '', 'h_bucket{le="+Inf"} 3'],
    ['bounds are none', '', 'h_bucket{le="x"} 3\nh_bucket 3'],
  ])('is not known where %s', (_, before, after) => {
    expect(p(0.99, between(before, after))).toBeUndefined();
  });

  it('never leaves the bounds of the buckets, and never falls as the quantile grows', () => {
    const counts = fc.array(fc.nat(1000), { minLength: 4, maxLength: 4 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(counts, share, share, (each, one, other) => {
        let sum = 0;
        const scraped = between('', histogram(each.map((count) => (sum += count))));
        const [low, high] = [Math.min(one, other), Math.max(one, other)].map((quantile) =>
          p(quantile, scraped),
        );
        if (sum === 0) return expect(low).toBeUndefined();
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(4);
        expect(low).toBeLessThanOrEqual(high ?? NaN);
      }),
    );
  });
});
