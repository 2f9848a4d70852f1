import { describe, expect, it } from '@jest/globals';
import { ConnectionPlaces } from './connection-places.ts';

describe('ConnectionPlaces', () => {
  it('has no place for one peer that has all of its own, and still one for another', () => {
    const places = new ConnectionPlaces({ max: 3, maxPerPeer: 2 });
    expect([places.take('a'), places.take('a'), places.take('a'), places.take('b')]).toEqual([
      undefined,
      undefined,
      'peer',
      undefined,
    ]);
    expect(places.open).toBe(3);
    expect(places.take('c')).toBe('total');
  });

  it('gives a place that was left to the next', () => {
    const places = new ConnectionPlaces({ max: 1, maxPerPeer: 1 });
    for (const peer of ['a', 'a', 'b']) {
      expect(places.take(peer)).toBeUndefined();
      places.leave(peer);
    }
    expect(places.open).toBe(0);
  });

  it('lets one peer have all places where there is no limit for each', () => {
    const places = new ConnectionPlaces({ max: 3, maxPerPeer: 0 });
    expect([1, 2, 3, 4].map(() => places.take('proxy'))).toEqual([undefined, undefined, undefined, 'total']);
  });
});
