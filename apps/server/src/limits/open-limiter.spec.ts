import { setTimeout as pause } from 'node:timers/promises';
import { EMPTY_CONFIGURATION, type Configuration } from '@callpass/domain';
import type { Logger } from '@callpass/program/log';
import type { Instruments } from '@callpass/telemetry';
import { ownRedisServer, redisIsInstalled } from '@callpass/testkit/redis-server';
import { expect, it } from '@jest/globals';
import { openLimiter } from './open-limiter.ts';

const NOW_MS = Date.UTC(2026, 2, 2, 10);
const WINDOW_MS = 3_600_000;

const CONFIGURATION = {
  ...EMPTY_CONFIGURATION,
  destinations: [{ limits: [{ windowMs: 1000 }, { windowMs: WINDOW_MS }] }],
} as unknown as Configuration;

/** A limiter of a server whose ledger has one issue, and what it reports. */
async function opened(url: string, issuedAtMs: number) {
  const logged: string[] = [];
  const counts: Record<string, number> = {};
  const log =
    (level: string) =>
    (_: object, text = '') =>
      void logged.push(`${level}: ${text.split(':')[0]}`);
  const { limiter, close } = await openLimiter(
    { limits: { url, timeout: 150, keyPrefix: '{callpass}:', perInstance: false } },
    {
      log: { info: log('info'), warn: log('warn'), error: log('error') } as unknown as Logger,
      make: {
        counter: () => (loss: string) => {
          counts[loss] ??= 0;
          return { add: () => void (counts[loss] = Number(counts[loss]) + 1) };
        },
      } as unknown as Instruments,
      clock: { now: () => NOW_MS },
      state: { snapshot: { configuration: CONFIGURATION } },
      store: {
        readTimes: async (afterMs) => ({
          databaseMs: undefined,
          elsewhere: false,
          laterIssueMs: issuedAtMs > afterMs ? issuedAtMs : undefined,
        }),
      },
    },
  );
  const said = async (line: string) => {
    while (!logged.includes(line)) await pause(20);
  };
  return { limiter, close, logged, counts, said };
}

const LOST = 'error: the counters of the limits were lost';

if (redisIsInstalled('reports of lost counters')) {
  it('reports counters that were lost under a running server: log, metric, health', async () => {
    const redis = await ownRedisServer();
    // Longer ago than any window: nothing was counted that could be lost.
    const server = await opened(redis.url, NOW_MS - WINDOW_MS);
    while ((await redis.ask('EXISTS {callpass}:generation')) !== ':1') await pause(20);
    expect([server.logged, server.limiter.lostAtMs]).toEqual([
      ['info: limits are counted in Redis'],
      undefined,
    ]);
    await redis.ask('FLUSHALL');
    await server.said(LOST);
    expect(server.counts).toEqual({ emptied: 1, evicted: 0 });
    expect(server.limiter.lostAtMs).toBeGreaterThan(0);
    server.close();
    await redis.remove();
  });

  it('reports counters that are missing at the start, where credentials were issued within the longest window', async () => {
    const redis = await ownRedisServer();
    const server = await opened(redis.url, NOW_MS - WINDOW_MS + 1);
    await server.said(LOST);
    expect(server.counts).toEqual({ emptied: 1, evicted: 0 });
    server.close();
    await redis.remove();
  });
}
