import { describe, expect, it } from '@jest/globals';
import type { LoadClass } from '../methods.ts';
import { WorkPerConnection } from './work-per-connection.ts';

const [one, other] = [{}, {}];

/** Work of connections by a clock that is moved. */
function workOf(max: number) {
  const clock = { nowMs: 0 };
  const work = new WorkPerConnection(max, () => clock.nowMs);
  const begins = (connection: object | undefined, load: LoadClass = 'VALIDATE') =>
    work.begin(connection, load);
  return { work, clock, begins };
}

describe('WorkPerConnection', () => {
  it('refuses what is more than one connection may have under way, and lets others in', () => {
    const { begins } = workOf(2);
    expect([begins(one), begins(one), begins(one)]).toEqual([true, true, false]);
    expect(begins(other)).toBe(true);
  });

  it('gives the place of a call that has ended to the next, and no more than that', () => {
    const { work, begins } = workOf(1);
    for (let calls = 0; calls < 3; calls++) {
      expect(begins(one, 'ISSUE')).toBe(true);
      work.end(one, 'ISSUE');
    }
    expect([begins(one), begins(one)]).toEqual([true, false]);
  });

  it('holds calls whose connections are gone to the same number, all together', () => {
    const { work, begins } = workOf(1);
    expect([begins(undefined), begins(undefined)]).toEqual([true, false]);
    work.end(undefined, 'VALIDATE');
    expect(begins(undefined)).toBe(true);
  });

  it('lets issues have every place while they get on', () => {
    const { work, clock, begins } = workOf(4);
    expect(begins(one, 'ISSUE')).toBe(true);
    clock.nowMs = 1000;
    for (let calls = 0; calls < 3; calls++) expect(begins(one, 'ISSUE')).toBe(true);
    work.end(one, 'ISSUE');
    clock.nowMs = 1900;
    expect([begins(one, 'ISSUE'), begins(one, 'VALIDATE')]).toEqual([true, false]);
  });

  it('keeps a quarter of the places for validating while issues are stuck', () => {
    const { work, clock, begins } = workOf(4);
    for (let calls = 0; calls < 3; calls++) expect(begins(one, 'ISSUE')).toBe(true);
    clock.nowMs = 1001;
    expect(begins(one, 'ISSUE')).toBe(false);
    expect([begins(one, 'VALIDATE'), begins(one, 'VALIDATE')]).toEqual([true, false]);
    work.end(one, 'ISSUE');
    expect(begins(one, 'ISSUE')).toBe(true);
  });
});
