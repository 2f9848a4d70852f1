import { expect, it } from '@jest/globals';
import { SlidingMinimum } from './sliding-minimum.ts';

it('tells the lowest of the last minute, and still of the minute before', () => {
  const lowest = new SlidingMinimum();
  lowest.note(0.5, 0);
  lowest.note(0.2, 1000);
  lowest.note(0.9, 59_000);
  expect(lowest.at(59_000)).toBe(0.2);
  expect(lowest.at(100_000)).toBe(0.2);
  lowest.note(0.8, 100_000);
  expect(lowest.at(119_000)).toBe(0.2);
  expect(lowest.at(120_001)).toBe(0.8);
});

it('tells nothing where nothing was noted for so long, and the same to all who ask', () => {
  const lowest = new SlidingMinimum();
  expect(lowest.at(5)).toBeUndefined();
  lowest.note(0.3, 10);
  expect([lowest.at(10), lowest.at(10)]).toEqual([0.3, 0.3]);
  expect(lowest.at(600_000)).toBeUndefined();
});
