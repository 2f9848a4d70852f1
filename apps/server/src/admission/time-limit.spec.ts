import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TimeLimit } from './time-limit.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('TimeLimit', () => {
  it('calls back for what has not ended, each after its own time, and for nothing else', () => {
    const limit = new TimeLimit(1000);
    const late: string[] = [];
    const begin = (name: string) => limit.begin(() => late.push(name));
    const first = begin('first');
    begin('second');
    jest.advanceTimersByTime(600);
    begin('third');
    limit.end(first);
    jest.advanceTimersByTime(399);
    expect(late).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(late).toEqual(['second']);
    jest.advanceTimersByTime(600);
    expect(late).toEqual(['second', 'third']);
  });

  it('goes on after a time in which nothing was under way', () => {
    const limit = new TimeLimit(1000);
    const late: string[] = [];
    limit.end(limit.begin(() => late.push('ended')));
    jest.advanceTimersByTime(5000);
    limit.begin(() => late.push('later'));
    jest.advanceTimersByTime(1000);
    expect(late).toEqual(['later']);
    expect(jest.getTimerCount()).toBe(0);
  });
});
