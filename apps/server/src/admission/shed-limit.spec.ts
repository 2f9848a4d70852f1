import { describe, expect, it } from '@jest/globals';
import { ShedLimit, type Window } from './shed-limit.ts';

const BOUNDS = { maxInFlight: 512, maxLagMs: 250 };
const QUIET: Window = { ended: 100, meanMs: 10, mostUnderWay: 20, refused: 0, lagMs: 0, busy: 1 };
const after = (limit: ShedLimit, times: number, window: Partial<Window>) => {
  for (let turn = 0; turn < times; turn++) limit.observe({ ...QUIET, ...window });
};

describe('ShedLimit', () => {
  it('leaves a burst alone that stays within the bound, however long it takes', () => {
    const limit = new ShedLimit(BOUNDS);
    after(limit, 50, { meanMs: 200, mostUnderWay: 500, lagMs: 100 });
    expect(limit.value).toBe(512);
  });

  it('lets fewer in once the bound was hit, and fewer still while calls take more than twice as long', () => {
    const limit = new ShedLimit(BOUNDS);
    limit.begin();
    const first = limit.value;
    expect(first).toBeLessThan(512);
    after(limit, 3, { refused: 100, meanMs: 100 });
    expect(limit.value).toBeLessThan(first);
  });

  it('never lets in so few that the store would commit them one by one', () => {
    const limit = new ShedLimit(BOUNDS);
    limit.begin();
    after(limit, 100, { refused: 1000, meanMs: 1000 });
    expect(limit.value).toBe(8);
  });

  it('opens fast while the event loop has time to spare, however slow calls are, so that no overload outlives its load', () => {
    const limit = new ShedLimit(BOUNDS);
    limit.begin();
    after(limit, 100, { refused: 1000, meanMs: 1000 });
    after(limit, 10, { refused: 50, meanMs: 1000, busy: 0.6 });
    expect(limit.value).toBeGreaterThan(64);
  });

  it('lets fewer in while the event loop never rests, however quick calls are, or the next would wait in the socket', () => {
    const limit = new ShedLimit(BOUNDS);
    limit.begin();
    const first = limit.value;
    after(limit, 3, { refused: 100, meanMs: 5, busy: 1 });
    expect(limit.value).toBeLessThan(first);
  });

  it('lets more in while calls are quick', () => {
    const limit = new ShedLimit(BOUNDS);
    limit.begin();
    const first = limit.value;
    after(limit, 5, { refused: 100, meanMs: 5, busy: 0.92 });
    expect(limit.value).toBeGreaterThan(first);
  });

  it('is back at the bound after a second without a refusal, and not before', () => {
    const limit = new ShedLimit(BOUNDS);
    limit.begin();
    after(limit, 9, {});
    expect(limit.shedding).toBe(true);
    after(limit, 1, {});
    expect(limit.value).toBe(512);
  });

  it('sheds when the event loop is late twice in a row; one pause is none', () => {
    const limit = new ShedLimit(BOUNDS);
    after(limit, 1, { lagMs: 300 });
    after(limit, 1, { lagMs: 0 });
    after(limit, 1, { lagMs: 300 });
    expect(limit.shedding).toBe(false);
    after(limit, 1, { lagMs: 300 });
    expect(limit.shedding).toBe(true);
  });

  it('stays within a bound that is smaller than where shedding would begin', () => {
    const limit = new ShedLimit({ ...BOUNDS, maxInFlight: 4 });
    limit.begin();
    after(limit, 5, { refused: 100, meanMs: 1000 });
    expect(limit.value).toBe(4);
  });
});
