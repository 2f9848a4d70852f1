import { LimiterError, type LimitCheck } from '@callpass/domain';
import { limiterConformance } from '@callpass/testkit/limiter-conformance';
import { ownRedisServer, redisIsInstalled, type RedisServer } from '@callpass/testkit/redis-server';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisLimiter } from './redis-limiter.ts';

const TIMEOUT_MS = 150;
const LIMIT: LimitCheck = {
  name: 'limits[0] per OVERALL',
  key: 'OVERALL/60000',
  max: 1000,
  windowMs: 60_000,
  shadow: false,
  whenUnavailable: 'REFUSE',
};

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function open(url: string, keyPrefix = '{callpass}:') {
  const changes: string[] = [];
  const limiter = new RedisLimiter({
    url,
    timeoutMs: TIMEOUT_MS,
    keyPrefix,
    hadCounted: () => Promise.resolve(false),
    events: {
      onEmptied: () => undefined,
      onEvicted: () => undefined,
      onBlind: () => undefined,
      onLost: (error) => changes.push(`lost: ${String(error)}`),
      onReady: () => changes.push('ready'),
    },
  });
  return { limiter, changes };
}

/** Asks until the counters are in reach; a machine may be slow. */
async function reached(limiter: RedisLimiter): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      await limiter.peek([LIMIT]);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(20);
    }
  }
}

async function failed(limiter: RedisLimiter): Promise<{ error: unknown; tookMs: number }> {
  const start = performance.now();
  const error: unknown = await limiter.take([LIMIT]).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, tookMs: performance.now() - start };
}

if (redisIsInstalled('the conformance of limits on Redis')) {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await ownRedisServer();
  });
  afterAll(() => redis.remove());

  limiterConformance('the Redis limiter', async () => {
    const { limiter } = open(redis.url);
    await reached(limiter);
    return {
      limiter,
      now: () => Date.now(),
      // Redis goes by its own clock, to the millisecond.
      pass: (ms) => pause(ms + 5).then(() => undefined),
      remove: () => {
        limiter.close();
      },
    };
  });

  describe('Redis away', () => {
    it('is told at once where nothing listens, and once, however many ask', async () => {
      const own = await ownRedisServer();
      await own.stop();
      const { limiter, changes } = open(own.url);
      await failed(limiter);
      const outcomes = await Promise.all(Array.from({ length: 100 }, () => failed(limiter)));
      for (const { error } of outcomes) expect(error).toBeInstanceOf(LimiterError);
      await own.start();
      await reached(limiter);
      expect(changes.map((change) => change.slice(0, 5))).toEqual(['lost:', 'ready']);
      limiter.close();
      await own.remove();
    });

    it('that hangs is given up after the time limit and then not waited for, until it goes on', async () => {
      const own = await ownRedisServer();
      const { limiter, changes } = open(own.url);
      await reached(limiter);
      own.freeze();
      const first = await failed(limiter);
      expect(first.error).toBeInstanceOf(LimiterError);
      expect(first.tookMs).toBeGreaterThan(TIMEOUT_MS / 2);
      const second = await failed(limiter);
      expect(second.error).toBeInstanceOf(LimiterError);
      expect(second.tookMs).toBeLessThan(first.tookMs);
      own.thaw();
      await reached(limiter);
      expect(changes.map((change) => change.slice(0, 5))).toEqual(['ready', 'lost:', 'ready']);
      limiter.close();
      await own.remove();
    });

    it('is not what a busy process takes its own delay for', async () => {
      const { limiter, changes } = open(redis.url);
      await reached(limiter);
      const asked = Promise.all(Array.from({ length: 100 }, () => limiter.take([LIMIT])));
      const stalledUntil = performance.now() + 3 * TIMEOUT_MS;
      while (performance.now() < stalledUntil);
      for (const outcome of await asked) expect(outcome).toMatchObject({ allowed: true });
      expect(changes).toEqual(['ready']);
      limiter.close();
    });

    it.each([
      ['cannot hold more', 'CONFIG SET maxmemory 1', 'CONFIG SET maxmemory 0'],
      ['has become a replica', 'REPLICAOF 127.0.0.1 1', 'REPLICAOF NO ONE'],
    ])('counts as away while it %s, and counts nothing', async (_, break_, mend) => {
      const own = await ownRedisServer();
      const { limiter } = open(own.url);
      await reached(limiter);
      await own.ask(break_);
      expect((await failed(limiter)).error).toBeInstanceOf(LimiterError);
      await own.ask(mend);
      await reached(limiter);
      expect((await limiter.peek([LIMIT]))[0]?.taken).toBe(0);
      limiter.close();
      await own.remove();
    });
  });

  it('says neither password nor key in an error', async () => {
    const { port } = new URL(redis.url);
    const { limiter, changes } = open(`redis://someone:canary-password@127.0.0.1:${port}`);
    const { error } = await failed(limiter);
    await pause(200);
    const said = [
      String(error),
      String((error as Error).cause),
      JSON.stringify((error as Error).cause),
      ...changes,
    ];
    expect(said.join()).not.toContain('canary-password');
    expect(said.join()).not.toContain(LIMIT.key);
    expect(changes.join()).toContain('lost');
    limiter.close();
  });
} else {
  it('needs redis-server for its tests', () => {
    expect(process.env['CI']).not.toBe('true');
  });
}
