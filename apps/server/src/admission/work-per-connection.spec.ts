import { describe, expect, it } from '@jest/globals';
import { WorkPerConnection } from './admit.ts';

const [one, other] = [{}, {}];

describe('WorkPerConnection', () => {
  it('refuses what is more than one connection may have under way, and lets others in', () => {
    const work = new WorkPerConnection(2);
    expect([work.begin(one), work.begin(one), work.begin(one)]).toEqual([true, true, false]);
    expect(work.begin(other)).toBe(true);
  });

  it('gives the place of a call that has ended to the next, and no more than that', () => {
    const work = new WorkPerConnection(1);
    for (let calls = 0; calls < 3; calls++) {
      expect(work.begin(one)).toBe(true);
      work.end(one);
    }
    expect([work.begin(one), work.begin(one)]).toEqual([true, false]);
  });

  it('holds calls whose connections are gone to the same number, all together', () => {
    const work = new WorkPerConnection(1);
    expect([work.begin(undefined), work.begin(undefined)]).toEqual([true, false]);
    work.end(undefined);
    expect(work.begin(undefined)).toBe(true);
  });
});
