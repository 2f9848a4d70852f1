import { describe, expect, it } from '@jest/globals';
import { runInterleaved, standsStill } from './rounds.ts';

describe('standsStill', () => {
  it.each([
    ['it still rises', [100, 200, 300, 400, 500, 600], false],
    ['it has risen and stays', [100, 200, 300, 300, 300, 301], false],
    ['it has stayed for as long as it is compared', [100, 300, 301, 299, 300, 302, 298], true],
    ['a neighbour slows it', [300, 300, 300, 200, 150, 250], true],
    ['there is too little to compare', [300, 300, 300], false],
  ])('%s', (_, rates, expected) => {
    expect(standsStill(rates)).toBe(expected);
  });
});

describe('runInterleaved', () => {
  const sample = (perSecond: number) => ({ perSecond, mainThreadUs: NaN, allThreadsUs: NaN });

  function contestant(name: string, rates: number[], order: string[] = []) {
    return {
      name,
      runRound: () => {
        order.push(name);
        return sample(rates.length > 1 ? (rates.shift() as number) : (rates[0] as number));
      },
    };
  }

  it('lets everyone run once a round, warms up until each rate stands still, and leaves that out', async () => {
    const order: string[] = [];
    const warm: number[] = [];
    const { samples, warmUp } = await runInterleaved(
      [
        contestant('a', [1, 1, 1, 1, 1, 1, 1, 1, 7, 8, 9], order),
        contestant('b', [1, 2, 3, 4, 4, 4, 4, 4], order),
      ],
      { warmUpAtMost: 20, measured: 3 },
      ({ number, warmUp }) => warmUp && warm.push(number),
    );
    expect(order.join('')).toMatch(/^(ab){11}$/);
    expect(warm).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(warmUp).toEqual({ rounds: 8, stoodStill: true });
    expect(samples[0]?.map(({ perSecond }) => perSecond)).toEqual([7, 8, 9]);
  });

  it('gives up warming when the rate never stands still, and says so', async () => {
    const rates = Array.from({ length: 20 }, (_, at) => 2 ** at);
    const { warmUp } = await runInterleaved(
      [contestant('a', rates)],
      { warmUpAtMost: 8, measured: 1 },
      () => {},
    );
    expect(warmUp).toEqual({ rounds: 8, stoodStill: false });
  });
});
