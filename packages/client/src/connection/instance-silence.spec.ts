import { describe, expect, it } from '@jest/globals';
import { InstanceSilence } from './instance-silence.ts';

describe('an instance', () => {
  it('takes calls while it answers, however many are open and however long one of them lasts', () => {
    const instance = new InstanceSilence();
    instance.started(0);
    for (let nowMs = 100; nowMs < 5_000; nowMs += 100) {
      expect(instance.takes(nowMs)).toBe(true);
      instance.started(nowMs);
      instance.answered(nowMs + 50);
    }
  });

  it('is silent when calls wait and nothing comes back, and gets a call after 1, 2, 4 and 8 s, then each 8 s', () => {
    const instance = new InstanceSilence();
    instance.started(0);
    expect(instance.takes(199)).toBe(true);
    const tried: number[] = [];
    for (let nowMs = 200; nowMs < 40_000; nowMs += 100) if (instance.takes(nowMs)) tried.push(nowMs);
    expect(tried).toEqual([1_200, 3_200, 7_200, 15_200, 23_200, 31_200, 39_200]);
  });

  it('takes calls again at once after one answer, and is not silent by what it left open before', () => {
    const instance = new InstanceSilence();
    instance.started(0);
    instance.started(0);
    expect(instance.takes(300)).toBe(false);
    instance.answered(400);
    expect(instance.takes(401)).toBe(true);
    expect(instance.takes(599)).toBe(true);
    expect(instance.takes(600)).toBe(false);
  });

  it('is not silent because callers give up at once, but because they give up after a wait', () => {
    const instance = new InstanceSilence();
    instance.started(0);
    instance.givenUp(100);
    expect(instance.takes(10_000)).toBe(true);
    instance.started(20_000);
    instance.givenUp(20_300);
    expect(instance.takes(30_000)).toBe(false);
  });
});
