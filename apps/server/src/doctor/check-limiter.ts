import type { Redis } from 'ioredis';
import { askRedis } from '@callpass/program/redis';
import { MARK_NAME } from '../limits/counter-mark.ts';
import { describeDatabaseFault, ok, problem, redisPlace, warning, type Finding } from '@callpass/program';
import type { Settings } from '../settings/schema.ts';

const name = 'limiter';

/**
 * Asks the limiter's database for a sign of life, and whether it keeps the counters. `memory:` is part of the server and always
 * there.
 */
export async function checkLimiter({
  url,
  keyPrefix,
}: Pick<Settings['limits'], 'url' | 'keyPrefix'>): Promise<Finding> {
  if (url.startsWith('memory:')) return ok(name, 'in memory: each instance counts for itself');
  try {
    const dangers = await askRedis(url, (redis) => dangersOf(redis, keyPrefix));
    if (dangers.length === 0) return ok(name, `${redisPlace(url)} answers`);
    return warning(
      name,
      `${redisPlace(url)} answers, but ${dangers.join('; ')}`,
      'set maxmemory-policy noeviction and appendonly yes; docs/runbooks/CallpassLimitCountersLost.md says what a loss means',
    );
  } catch (error) {
    return problem(
      name,
      `${redisPlace(url)} does not answer, so limits act as their whenUnavailable says: ${describeDatabaseFault(error)}`,
      'see that Redis runs and can be reached from here, and that name, password and certificate of limits.url are right',
    );
  }
}

/** Ways in which Redis may lose the counters, and the last time it did. Empty where it does not say. */
async function dangersOf(redis: Redis, keyPrefix: string): Promise<readonly string[]> {
  const info = await redis.info().catch(() => '');
  const field = (field: string) => new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1];
  const policy = field('maxmemory_policy') ?? 'noeviction';
  const lostAt = Number((await redis.hget(keyPrefix + MARK_NAME, 'lost').catch(() => null)) ?? NaN);
  return [
    ...(field('maxmemory') !== '0' && policy !== 'noeviction'
      ? [`drops counters when its memory is full (maxmemory-policy ${policy})`]
      : []),
    ...(field('aof_enabled') === '0' ? ['loses counters when it restarts (appendonly no)'] : []),
    ...(Number.isNaN(lostAt) ? [] : [`it lost them at ${new Date(lostAt).toISOString()}`]),
  ];
}
