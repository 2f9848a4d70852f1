import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { createCountedLines, flushCountedLines, type CountedLines } from './counted-lines.ts';

let lines: string[];
let counted: CountedLines;
beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  counted = createCountedLines();
});
afterEach(() => {
  jest.useRealTimers();
});

const note = (kind: string, event: string) => {
  counted.note(kind, (count) => void lines.push(`${event} x${count}`));
};

it('2,506 refusals of one kind in 26 s have 27 lines, which count all of them, and the first comes at once', () => {
  for (let index = 0; index < 2506; index++) {
    note('STORE_UNAVAILABLE', `call ${index}`);
    if (index === 0) expect(lines).toEqual(['call 0 x1']);
    jest.advanceTimersByTime(26_000 / 2506);
  }
  jest.advanceTimersByTime(1000);
  expect(lines.length).toBeLessThanOrEqual(27);
  expect(lines.reduce((sum, line) => sum + Number(line.split('x')[1]), 0)).toBe(2506);
});

it('each kind has lines of its own, a quiet period ends the counting, and what follows it has its line at once', () => {
  for (const event of ['a', 'b', 'c']) note('one', event);
  note('other', 'd');
  expect(lines.splice(0)).toEqual(['a x1', 'd x1']);
  jest.advanceTimersByTime(1000);
  expect(lines.splice(0)).toEqual(['c x2']);
  jest.advanceTimersByTime(2000);
  note('one', 'e');
  expect(lines).toEqual(['e x1']);
});

it('what is only counted when the program stops has its line too, and no timer is left', () => {
  for (const event of ['a', 'b']) note('one', event);
  const other = createCountedLines();
  for (const event of ['c', 'd']) other.note('one', (count) => void lines.push(`${event} x${count}`));
  flushCountedLines();
  expect(lines).toEqual(['a x1', 'c x1', 'b x1', 'd x1']);
  expect(jest.getTimerCount()).toBe(0);
  flushCountedLines();
  expect(lines).toHaveLength(4);
});
