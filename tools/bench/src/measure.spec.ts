import { describe, expect, it } from '@jest/globals';
import { median, ratioOf, runInterleaved } from './measure.ts';

describe('median', () => {
  it('takes the middle, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('takes the mean of the two in the middle', () => {
    expect(median([8, 1, 2, 4])).toBe(3);
  });

  it('is no number for no figures', () => {
    expect(median([])).toBeNaN();
  });
});

describe('ratioOf', () => {
  it('compares within each round, so that a slow moment of the machine cancels out', () => {
    const measured = { median: 20, rounds: [20, 2, 22] };
    const baseline = { median: 10, rounds: [10, 1, 10] };
    expect(ratioOf(measured, baseline)).toEqual({ median: 2, min: 2, max: 2.2 });
  });
});

describe('runInterleaved', () => {
  it('lets everyone run once a round and leaves the warm-up out', async () => {
    const order: string[] = [];
    const contestant = (name: string, speeds: number[]) => ({
      name,
      runRound: () => {
        order.push(name);
        return speeds.shift() as number;
      },
    });
    const rounds: boolean[] = [];
    const speeds = await runInterleaved(
      [contestant('a', [100, 3, 1, 2]), contestant('b', [100, 6, 4, 5])],
      { warmUp: 1, measured: 3 },
      ({ warmUp }) => rounds.push(warmUp),
    );
    expect(order.join('')).toBe('abababab');
    expect(rounds).toEqual([true, false, false, false]);
    expect(speeds).toEqual([
      { median: 2, rounds: [3, 1, 2] },
      { median: 5, rounds: [6, 4, 5] },
    ]);
  });
});
