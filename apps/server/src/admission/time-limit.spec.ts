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
    const late: string[] = [];
    const limit = new TimeLimit<string>(1000, (name) => late.push(name));
    limit.begin('first');
    limit.begin('second');
    jest.advanceTimersByTime(600);
    limit.begin('third');
    limit.end('first');
    jest.advanceTimersByTime(399);
    expect(late).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(late).toEqual(['second']);
    jest.advanceTimersByTime(600);
    expect(late).toEqual(['second', 'third']);
  });

  it('goes on after a time in which nothing was under way', () => {
    const late: string[] = [];
    const limit = new TimeLimit<string>(1000, (name) => late.push(name));
    limit.begin('ended');
    limit.end('ended');
    jest.advanceTimersByTime(5000);
    limit.begin('later');
    jest.advanceTimersByTime(1000);
    expect(late).toEqual(['later']);
    expect(jest.getTimerCount()).toBe(0);
  });
});
