import { describe, expect, it } from '@jest/globals';
import { estimate, median, ratioOf, spreadOf, strayOf } from './statistics.ts';

describe('median', () => {
  it.each([
    ['the middle, whatever the order', [9, 1, 5], 5],
    ['the mean of the two in the middle', [8, 1, 2, 4], 3],
    ['no number for no figures', [], NaN],
  ])('is %s', (_, figures, expected) => {
    expect(median(figures)).toBe(expected);
  });
});

describe('estimate', () => {
  const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1).reverse();

  // The ranks of tables of the sign test, for 95 %.
  it.each([
    [1, 1, 1],
    [5, 1, 5],
    [6, 1, 6],
    [9, 2, 8],
    [12, 3, 10],
    [15, 4, 12],
    [20, 6, 15],
  ])('of %d figures holds the median between ranks %d and %d', (count, low, high) => {
    expect(estimate(upTo(count))).toMatchObject({ low, high });
  });

  it('is not moved by one round that was disturbed', () => {
    expect(estimate([10, 10, 11, 10, 11, 10, 11, 10, 900])).toEqual({ median: 10, low: 10, high: 11 });
  });

  it('is no number where the system has told nothing', () => {
    expect(estimate([1, NaN, 2])).toEqual({ median: NaN, low: NaN, high: NaN });
  });
});

describe('ratioOf', () => {
  it('compares within each round, so that a slow moment of the machine cancels out', () => {
    expect(ratioOf([20, 2, 22], [10, 1, 10])).toEqual({ median: 2, low: 2, high: 2.2 });
  });
});

describe('strayOf and spreadOf', () => {
  it('are factors, the same in both directions', () => {
    expect(strayOf({ median: 1, low: 0.8, high: 1.1 })).toBe(1.25);
    expect(strayOf({ median: 1, low: 0.99, high: 1.25 })).toBe(1.25);
    expect(spreadOf({ median: 2, low: 1, high: 4 })).toBe(2);
  });
});
