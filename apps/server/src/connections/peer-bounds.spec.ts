import { describe, expect, it } from '@jest/globals';
import { peerOf } from '../peer.ts';
import { PlaceCounter, TokenBuckets, UnfinishedRequests } from './peer-bounds.ts';

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s is a connection of %s: a peer with many addresses of one network is one peer', (address, peer) => {
  expect(peerOf(address)).toBe(peer);
});

describe('PlaceCounter', () => {
  it('has no place for one peer that has all of its own, and still one for another', () => {
    const counter = new PlaceCounter({ max: 3, maxPerPeer: 2 });
    expect([counter.take('a'), counter.take('a'), counter.take('a'), counter.take('b')]).toEqual([
      undefined,
      undefined,
      'peer',
      undefined,
    ]);
    expect(counter.open).toBe(3);
    expect(counter.take('c')).toBe('total');
  });

  it('gives a place that was left to the next', () => {
    const counter = new PlaceCounter({ max: 1, maxPerPeer: 1 });
    for (const peer of ['a', 'a', 'b']) {
      expect(counter.take(peer)).toBeUndefined();
      counter.leave(peer);
    }
    expect(counter.open).toBe(0);
  });

  it('lets one peer have all places where there is no limit for each', () => {
    const counter = new PlaceCounter({ max: 3, maxPerPeer: 0 });
    expect([1, 2, 3, 4].map(() => counter.take('proxy'))).toEqual([undefined, undefined, undefined, 'total']);
  });
});

/** Takes until there is none left, and gives how many there were. */
function takeAll(buckets: TokenBuckets, peer: string, nowMs: number): number {
  let taken = 0;
  while (taken < 1000 && buckets.take(peer, nowMs)) taken++;
  return taken;
}

describe('TokenBuckets', () => {
  it('gives each peer five seconds of its rate at once, and then its rate', () => {
    const buckets = new TokenBuckets(5);
    expect(takeAll(buckets, 'a', 0)).toBe(25);
    expect(takeAll(buckets, 'b', 0)).toBe(25);
    expect(takeAll(buckets, 'a', 1000)).toBe(5);
    expect(takeAll(buckets, 'a', 60_000)).toBe(25);
  });

  it('calls a peer spent from when it had none left until it has those of a second', () => {
    const buckets = new TokenBuckets(5);
    for (let taken = 0; taken < 25; taken++) buckets.take('a', 0);
    expect(buckets.isSpent('a', 0)).toBe(false);
    buckets.take('a', 0);
    expect(buckets.isSpent('a', 999)).toBe(true);
    expect(buckets.isSpent('a', 1000)).toBe(false);
    expect(buckets.isSpent('b', 0)).toBe(false);
  });

  it('counts what a peer has taken, until it has it back', () => {
    const buckets = new TokenBuckets(5);
    expect(buckets.taken('a', 0)).toBe(0);
    for (let taken = 0; taken < 7; taken++) buckets.take('a', 0);
    expect([0, 1000, 2000].map((nowMs) => buckets.taken('a', nowMs))).toEqual([7, 2, 0]);
    expect(buckets.taken('b', 0)).toBe(0);
  });

  it('remembers nobody who has all of theirs again', () => {
    const buckets = new TokenBuckets(5);
    for (let peer = 0; peer < 100; peer++) buckets.take(`peer ${peer}`, 0);
    buckets.take('late', 150);
    buckets.forgetRested(200);
    expect(buckets.size).toBe(1);
  });

  it('has no end where there is no rate', () => {
    expect(takeAll(new TokenBuckets(0), 'a', 0)).toBe(1000);
  });
});

it('UnfinishedRequests bounds the bytes of each peer, and counts those no longer that were let go of', () => {
  const unfinished = new UnfinishedRequests(10);
  expect([unfinished.add('a', 10), unfinished.add('a', 1), unfinished.add('b', 10)]).toEqual([
    true,
    false,
    true,
  ]);
  unfinished.release('a', 5);
  expect([unfinished.add('a', 4), unfinished.add('a', 1)]).toEqual([true, false]);
});
