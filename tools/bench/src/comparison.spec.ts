import { describe, expect, it } from '@jest/globals';
import { compare, noiseOf, verdictOf } from './comparison.ts';
import type { Sample } from './rounds.ts';

const exactly = (median: number) => ({ median, low: median, high: median });
const sample = (perSecond: number, mainThreadUs = NaN, allThreadsUs = NaN): Sample => ({
  ...{ perSecond, mainThreadUs, allThreadsUs },
});

describe('verdictOf', () => {
  it.each([
    ['less', 1.7, 1.75, 1.02, 'met'],
    ['less', 1.74, 1.75, 1.02, 'too noisy to say'],
    ['less', 1.76, 1.75, 1.02, 'too noisy to say'],
    ['less', 2.3, 1.75, 1.02, 'not met'],
    ['less', 1.74, 1.75, 1, 'met'],
    ['more', 0.39, 0.5, 1.1, 'not met'],
    ['more', 0.48, 0.5, 1.1, 'too noisy to say'],
    ['more', 0.52, 0.5, 1.1, 'too noisy to say'],
    ['more', 0.56, 0.5, 1.1, 'met'],
    // A run may be too noisy for one target and quiet enough for another.
    ['more', 5.9, 4, 1.3, 'met'],
    ['more', NaN, 4, 1.01, 'not measured here'],
  ] as const)('wanted %s: %d against %d with a noise of %d is %s', (good, value, target, noise, verdict) => {
    expect(verdictOf(exactly(value), { good, target, noise })).toBe(verdict);
  });

  it('takes the spread of the figure itself for its error where that is larger than the noise of the run', () => {
    const value = { median: 0.56, low: 0.45, high: 0.7 };
    expect(verdictOf(value, { good: 'more', target: 0.5, noise: 1.01 })).toBe('too noisy to say');
  });

  it('judges nothing where the noise is not known', () => {
    expect(verdictOf(exactly(9), { good: 'more', target: 1, noise: NaN })).toBe('too noisy to say');
  });
});

describe('noiseOf', () => {
  it('is by how far a copy of the yardstick strays from it, for each measure by itself', () => {
    const yardstick = [sample(100, 10, 20), sample(100, 10, 20)];
    const again = [sample(80, 10, 21), sample(110, 10.2, 20)];
    const { mainThread, allThreads, throughput } = noiseOf(yardstick, again);
    expect(throughput).toBeCloseTo(1.25);
    expect(mainThread).toBeCloseTo(1.02);
    expect(allThreads).toBeCloseTo(1.05);
  });
});

describe('compare', () => {
  const plan = {
    ...{ name: 'server', baselineName: 'echo', unit: 'calls' },
    measured: [sample(50, 23, 60), sample(40, 23, 60)],
    baseline: [sample(100, 10, 20), sample(80, 10, 20)],
    noise: { mainThread: 1.01, allThreads: NaN, throughput: 1.01, p50: NaN },
  };

  it('gives each measure beside the others, and a verdict where there is a target', () => {
    const { figures, measured } = compare({
      ...plan,
      targets: { mainThread: 1.75, throughput: 0.4, perSecond: 60 },
    });
    expect(figures).toEqual([
      { measure: 'mainThread', value: exactly(2.3), target: 1.75, verdict: 'not met' },
      { measure: 'allThreads', value: exactly(3), target: undefined, verdict: undefined },
      { measure: 'throughput', value: exactly(0.5), target: 0.4, verdict: 'met' },
      { measure: 'perSecond', value: { median: 45, low: 40, high: 50 }, target: 60, verdict: 'not met' },
    ]);
    expect(measured).toMatchObject({ perSecond: 45, mainThreadUs: 23 });
  });
});
