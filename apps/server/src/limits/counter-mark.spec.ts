import { ownRedisServer, redisIsInstalled, type RedisServer } from '@callpass/testkit/redis-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { CounterMark } from './counter-mark.ts';

const PREFIX = '{callpass}:';

if (redisIsInstalled('the loss of counters in Redis')) {
  let redis: RedisServer;
  const open: Redis[] = [];
  beforeAll(async () => {
    redis = await ownRedisServer();
  });
  beforeEach(async () => {
    await redis.ask('FLUSHALL');
  });
  afterEach(() => {
    for (const connection of open.splice(0)) connection.disconnect();
  });
  afterAll(() => redis.remove());

  /** An instance of the server, as far as the mark is concerned. */
  function instance({ hadCounted = false } = {}) {
    const events: string[] = [];
    const connection = new Redis(redis.url, { retryStrategy: () => 20 });
    connection.on('error', () => undefined);
    open.push(connection);
    const mark = new CounterMark({
      redis: connection,
      keyPrefix: PREFIX,
      hadCounted: () => Promise.resolve(hadCounted),
      events: {
        onEmptied: ({ isReporter }) => events.push(isReporter ? 'reports a loss' : 'hears of a loss'),
        onEvicted: (keys) => events.push(keys > 0 ? 'sees evictions' : 'nothing'),
        onBlind: () => events.push('is blind'),
      },
    });
    return { mark, events };
  }

  async function look(...instances: ReturnType<typeof instance>[]): Promise<void> {
    for (const { mark } of instances) await mark.look();
  }

  describe('counters in Redis', () => {
    it('of a fresh installation are not lost, nor for the instances that come later', async () => {
      const [first, second] = [instance(), instance({ hadCounted: true })];
      await look(first, second, first, second);
      expect([first.events, second.events]).toEqual([[], []]);
      expect(first.mark.lostAtMs).toBeUndefined();
    });

    it.each([
      ['flushed', async () => void (await redis.ask('FLUSHALL'))],
      ['flushed with their database', async () => void (await redis.ask('FLUSHDB'))],
      [
        'without their mark, as after an eviction',
        async () => void (await redis.ask(`DEL ${PREFIX}generation`)),
      ],
      [
        'restarted without data',
        async () => {
          await redis.stop();
          await redis.start();
        },
      ],
      [
        'replaced by an empty replica',
        async () => {
          const empty = await ownRedisServer();
          await redis.ask(`REPLICAOF 127.0.0.1 ${new URL(empty.url).port}`);
          while ((await redis.ask(`EXISTS ${PREFIX}generation`)) !== ':0');
          await redis.ask('REPLICAOF NO ONE');
          await empty.remove();
        },
      ],
    ])('%s are lost: one instance reports it, all know, and once', async (_, lose) => {
      const [first, second] = [instance(), instance()];
      await look(first, second);
      await lose();
      const newcomer = instance();
      await look(second, newcomer, first, second, first);
      expect([first.events, second.events, newcomer.events]).toEqual([
        ['hears of a loss'],
        ['reports a loss'],
        [],
      ]);
      for (const { mark } of [first, second, newcomer])
        expect(Math.abs(Number(mark.lostAtMs) - Date.now())).toBeLessThan(10_000);
    });

    it('put back to an older copy are lost', async () => {
      const first = instance();
      await look(first);
      await redis.ask('SAVE');
      await look(first, first);
      await redis.stop();
      await redis.start();
      await look(first, first);
      expect(first.events).toEqual(['reports a loss']);
    });

    it('that were kept over a restart are not lost', async () => {
      const first = instance();
      await look(first);
      await redis.ask('SAVE');
      await redis.stop();
      await redis.start();
      await look(first, first);
      expect(first.events).toEqual([]);
    });

    it('lost while no server ran are reported by the first that starts, where there were some', async () => {
      const [first, second] = [instance({ hadCounted: true }), instance({ hadCounted: true })];
      await look(first, second);
      expect([first.events, second.events]).toEqual([['reports a loss'], []]);
      expect(second.mark.lostAtMs).toBe(first.mark.lostAtMs);
    });

    it('whose new mark was made by an instance that knew of none are reported by one that did', async () => {
      const first = instance();
      await look(first);
      await redis.ask('FLUSHALL');
      await look(instance(), first, first);
      expect(first.events).toEqual(['reports a loss']);
    });

    it('that Redis drops for lack of memory are seen, though the mark stays', async () => {
      const first = instance();
      await look(first);
      await redis.ask('CONFIG SET maxmemory-policy volatile-ttl');
      const [filler] = open as [Redis];
      await filler.eval(
        `for i = 1, 20000 do redis.call('SET', 'filler' .. i, string.rep('x', 100), 'PX', 100000) end`,
        0,
      );
      await look(first);
      await redis.ask('CONFIG SET maxmemory 2mb');
      while (first.events.length === 0) await look(first);
      await redis.ask('CONFIG SET maxmemory 0');
      expect(first.events[0]).toBe('sees evictions');
      expect(first.mark.lostAtMs).toBeUndefined();
    });

    it('that may be counted and not looked after are said once', async () => {
      const first = instance();
      await redis.ask('ACL SETUSER default -hincrby');
      await look(first, first);
      await redis.ask('ACL SETUSER default +hincrby');
      expect(first.events).toEqual(['is blind']);
    });
  });
} else {
  it('needs redis-server for its tests', () => {
    expect(process.env['CI']).not.toBe('true');
  });
}
