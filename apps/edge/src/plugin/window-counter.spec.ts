import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
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

describe('any sequence of requests', () => {
  const WINDOW_MS = 1000;
  const step = fc.record({
    key: fc.nat(40).map((key) => `net${key % 7}.${key}`),
    pass: fc.constantFrom(0, 0, 0, 1, 300, 999, 1000),
  });

  it('is never counted as fewer than there were in the window, whatever other keys come, and holds no more than it may', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 20 }), (steps, maxKeys) => {
        const { counter, pass } = start(maxKeys, (key) => key.split('.')[0] ?? '');
        const windows = new Map<string, { startMs: number; count: number }>();
        let nowMs = 0;
        for (const { key, pass: ms } of steps) {
          pass(ms);
          nowMs += ms;
          const { count, leftMs } = counter.count(key);
          const before = windows.get(key);
          // A window that was shared may have begun before the key's own.
          const alone =
            before !== undefined && nowMs - before.startMs < WINDOW_MS
              ? before
              : { startMs: nowMs, count: 0 };
          alone.count++;
          windows.set(key, alone);
          expect(count).toBeGreaterThanOrEqual(
            leftMs === WINDOW_MS - (nowMs - alone.startMs) ? alone.count : 1,
          );
          expect(leftMs).toBeGreaterThan(0);
          expect(leftMs).toBeLessThanOrEqual(WINDOW_MS);
          expect(counter.size).toBeLessThanOrEqual(maxKeys + 4096);
        }
      }),
    );
  });

  it('never lets a key have more than its limit in any window of its own while it asks without a pause', () => {
    const LIMIT = 5;
    fc.assert(
      fc.property(
        fc.array(fc.nat(60), { maxLength: 300 }),
        fc.integer({ min: 1, max: 20 }),
        (keys, maxKeys) => {
          const { count } = start(maxKeys);
          const granted = new Map<number, number>();
          for (const key of keys) {
            if (count(`address ${key}`) <= LIMIT) granted.set(key, (granted.get(key) ?? 0) + 1);
          }
          for (const times of granted.values()) expect(times).toBeLessThanOrEqual(LIMIT);
        },
      ),
    );
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
