import {
  createMemorySessions,
  openSessions,
  type RedisSessions,
  type SessionStore,
} from '@callpass/program/sessions';
import type { Logger } from '@callpass/program/log';
import { ownRedisServer, redisIsInstalled, type RedisServer } from '@callpass/testkit/redis-server';
import { createSingleUse } from '@callpass/token-core/gateway';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const TOKEN = 'AB12CD'.repeat(16);
const request = (step: 'SUBSCRIBE' | 'START_CALL', accountToken = TOKEN, realm = 'r') => ({
  step,
  realm,
  accountToken,
});
const inAMinute = () => Date.now() + 60_000;
const useOnce = ({ claim }: SessionStore, whenUnavailable: 'refuse' | 'allow' = 'refuse') =>
  createSingleUse({ claim, secret: 's'.repeat(32), whenUnavailable, nowMs: () => Date.now() });

describe('sessions in memory', () => {
  it('are forgotten when their token has expired', async () => {
    let now = 0;
    const { claim } = createMemorySessions(() => now);
    expect([await claim('a', 'first', 10), await claim('a', 'second', 10)]).toEqual(['first', 'first']);
    expect(await claim('b', 'long', 100)).toBe('long');
    now = 10;
    expect(await claim('a', 'third', 10)).toBe('third');
    expect(await claim('b', 'fourth', 10)).toBe('long');
  });

  it('count a token in capitals and small letters as one, and each realm for itself', async () => {
    const { use } = useOnce(createMemorySessions());
    expect(await use(request('SUBSCRIBE'), inAMinute())).toBe('FIRST_OR_REPEATED');
    expect(await use(request('SUBSCRIBE', TOKEN.toLowerCase()), inAMinute())).toBe('USED');
    expect(await use(request('SUBSCRIBE', TOKEN, 'r2'), inAMinute())).toBe('FIRST_OR_REPEATED');
  });
});

if (redisIsInstalled('single use of tokens that edges share')) {
  describe('sessions in Redis', () => {
    let redis: RedisServer;
    const events: string[] = [];
    const stores: SessionStore[] = [];
    const edge = async (whenUnavailable: 'refuse' | 'allow' = 'refuse') => {
      const ready = Promise.withResolvers<void>();
      const settings = { url: redis.url, timeout: 500, keyPrefix: 'sessions:', whenUnavailable };
      const log = { warn: () => events.push('lost'), info: () => ready.resolve() } as unknown as Logger;
      const store = (await openSessions(settings, log, 'callpass-edge')) as RedisSessions;
      stores.push(store);
      store.connect();
      await ready.promise;
      return useOnce(store, whenUnavailable);
    };
    beforeAll(async () => {
      redis = await ownRedisServer();
    });
    afterAll(async () => {
      for (const store of stores) store.close();
      await redis.remove();
    });

    it('are those of all edges, as keyed hashes that end with the token', async () => {
      const [one, two] = [await edge(), await edge()];
      const uses = await Promise.all(
        [one, two, one, two].map(({ use }) => use(request('SUBSCRIBE'), inAMinute())),
      );
      expect(uses.sort()).toEqual(['FIRST_OR_REPEATED', 'USED', 'USED', 'USED']);
      expect(await redis.ask('DBSIZE')).toBe(':1');
      const name = await redis
        .ask('RANDOMKEY')
        .then(() => redis.ask("EVAL \"return redis.call('KEYS','*')[1]:len()\" 0"));
      expect(name).toBe(`:${'sessions:'.length + 43}`);
      const left = Number(
        (await redis.ask("EVAL \"return redis.call('PTTL', redis.call('KEYS','*')[1])\" 0")).slice(1),
      );
      expect(left).toBeGreaterThan(60_000);
      expect(left).toBeLessThanOrEqual(121_000);
    });

    it('that are out of reach make it refuse or allow, within the time limit', async () => {
      const [strict, lenient] = [await edge(), await edge('allow')];
      redis.freeze();
      expect(await strict.use(request('SUBSCRIBE', `${TOKEN}00`), inAMinute())).toBe('UNKNOWN');
      expect(await lenient.use(request('SUBSCRIBE', `${TOKEN}01`), inAMinute())).toBe('FIRST_OR_REPEATED');
      redis.thaw();
      await redis.stop();
      expect(await strict.use(request('SUBSCRIBE', `${TOKEN}02`), inAMinute())).toBe('UNKNOWN');
      expect(events).toContain('lost');
    });
  });
}
