import { describe, expect, it } from '@jest/globals';
import type { LoadClass } from '../methods.ts';
import { WorkPerConnection } from './work-per-connection.ts';

const [one, other] = [{}, {}];

/** Work of connections by a clock that is moved. */
function workOf(max: number) {
  const clock = { nowMs: 0 };
  const work = new WorkPerConnection(max, () => clock.nowMs);
  const begins = (connection: object | undefined, load: LoadClass = 'VALIDATE') =>
    work.begin(connection, load) !== undefined;
  const taken = (load: LoadClass) => {
    const place = work.begin(one, load);
    if (place === undefined) throw new Error('no place');
    return place;
  };
  return { work, clock, begins, taken };
}

describe('WorkPerConnection', () => {
  it('refuses what is more than one connection may have under way, and lets others in', () => {
    const { begins } = workOf(2);
    expect([begins(one), begins(one), begins(one)]).toEqual([true, true, false]);
    expect(begins(other)).toBe(true);
  });

  it('gives the place of a call that has ended to the next, and no more than that', () => {
    const { work, begins, taken } = workOf(1);
    for (let calls = 0; calls < 3; calls++) work.end(one, taken('ISSUE'));
    expect([begins(one), begins(one)]).toEqual([true, false]);
  });

  it('holds calls whose connections are gone to the same number, all together', () => {
    const { work, begins } = workOf(1);
    const place = work.begin(undefined, 'VALIDATE');
    expect([place === undefined, begins(undefined)]).toEqual([false, false]);
    if (place) work.end(undefined, place);
    expect(begins(undefined)).toBe(true);
  });

  it('lets issues have every place while they get on', () => {
    const { work, clock, begins, taken } = workOf(4);
    const oldest = taken('ISSUE');
    clock.nowMs = 1000;
    for (let calls = 0; calls < 3; calls++) expect(begins(one, 'ISSUE')).toBe(true);
    work.end(one, oldest);
    clock.nowMs = 1900;
    expect([begins(one, 'ISSUE'), begins(one, 'VALIDATE')]).toEqual([true, false]);
  });

  it('keeps a quarter of the places for validating while issues are stuck', () => {
    const { work, clock, begins, taken } = workOf(4);
    const stuck = [taken('ISSUE'), taken('ISSUE'), taken('ISSUE')];
    clock.nowMs = 1001;
    expect(begins(one, 'ISSUE')).toBe(false);
    expect([begins(one, 'VALIDATE'), begins(one, 'VALIDATE')]).toEqual([true, false]);
    work.end(one, stuck[0] ?? { startedAtMs: 0 });
    expect(begins(one, 'ISSUE')).toBe(true);
  });
});
