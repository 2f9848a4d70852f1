import { describe, expect, it } from '@jest/globals';
import { startTestEdge } from '../testing/test-edge.ts';
import { WindowCounter } from './window-counter.ts';

function start(maxKeys: number, widen?: (key: string) => string) {
  let nowMs = 0;
  const counter = new WindowCounter({ windowMs: 1000, maxKeys, widen, now: () => nowMs });
  return { counter, count: (key: string) => counter.count(key).count, pass: (ms: number) => (nowMs += ms) };
}

describe('a counter of requests', () => {
  it('counts a key from its first request to the end of its window', () => {
    const { counter, count, pass } = start(10);
    expect([count('a'), count('a'), count('b')]).toEqual([1, 2, 1]);
    pass(999);
    expect(counter.count('a')).toEqual({ count: 3, leftMs: 1 });
    pass(1);
    expect(count('a')).toBe(1);
  });

  it('does not forget a key for any number of others, and holds no more windows than it may', () => {
    const { counter, count } = start(100);
    count('a');
    for (let other = 0; other < 20_000; other++) count(`other ${other}`);
    expect(count('a')).toBe(2);
    expect(counter.size).toBeLessThanOrEqual(100 + 4096);
  });

  it('counts keys beyond those it holds together with their group, and does not let them through uncounted', () => {
    const { count, pass } = start(1, (key) => key.slice(0, 3));
    count('held');
    expect([count('net1'), count('net2'), count('net3')]).toEqual([1, 2, 3]);
    pass(1000);
    expect(count('net1')).toBe(1);
  });

  it('keeps a shared window to its end when there is room again', () => {
    const { count, pass } = start(1);
    count('held');
    pass(500);
    expect([count('b'), count('b')]).toEqual([1, 2]);
    pass(500);
    expect(count('b')).toBe(3);
    pass(500);
    expect(count('b')).toBe(1);
  });
});

it('an address at its limit stays refused after requests of 6,000 others', async () => {
  const { app, send } = await startTestEdge({ limits: { perAddress: 1 } });
  const ask = async (remoteAddress: string) =>
    (await send({ url: '/callparameters', remoteAddress })).statusCode;
  await ask('192.0.2.1');
  expect(await ask('192.0.2.1')).toBe(429);
  for (let other = 0; other < 6_000; other++)
    await ask(`10.${other >> 16}.${(other >> 8) & 255}.${other & 255}`);
  expect(await ask('192.0.2.1')).toBe(429);
  await app.close();
}, 60_000);
