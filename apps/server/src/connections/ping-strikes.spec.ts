import { describe, expect, it } from '@jest/globals';
import { PingStrikes } from './ping-strikes.ts';

const PONG = 17;

describe('PingStrikes', () => {
  it('lets a client ping at the interval for ever', () => {
    const pings = new PingStrikes(5000);
    for (let sent = 0; sent < 100; sent++) expect(pings.count(sent * 5000, 60 + sent * PONG)).toBe(true);
  });

  it('forgives two pings that come too soon, and not the third', () => {
    const pings = new PingStrikes(5000);
    expect([0, 1, 2, 3].map((sent) => pings.count(sent, 60 + sent * PONG))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('does not take answers to pings, on their way or not, for answers to calls', () => {
    const pings = new PingStrikes(5000);
    // All of them in one read, so that nothing was written in between.
    expect([0, 0, 0, 0].map((nowMs) => pings.count(nowMs, 60))).toEqual([true, true, true, false]);
  });

  it('lets a client ping after each answer to a call, as those do that measure the way', () => {
    const pings = new PingStrikes(5000);
    for (let sent = 0; sent < 100; sent++) expect(pings.count(sent, 60 + sent * (PONG + 40))).toBe(true);
  });

  it('has nothing against pings where there is no interval', () => {
    const pings = new PingStrikes(0);
    for (let sent = 0; sent < 100; sent++) expect(pings.count(0, 60)).toBe(true);
  });
});
