import { Redis } from 'ioredis';
import { ok, problem, type Finding } from '@callpass/program';

const TIMEOUT_MS = 2000;

/** Asks the limiter's database for a sign of life. `memory:` is part of the server and always there. */
export async function checkLimiter(url: string): Promise<Finding> {
  const name = 'limiter';
  if (url.startsWith('memory:')) return ok(name, 'in memory: each instance counts for itself');
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  // Each failure comes with the command too.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
    return ok(name, 'answers');
  } catch {
    return problem(
      name,
      'Redis does not answer, so limits act as their whenUnavailable says',
      'see that Redis runs and can be reached from here, and that name, password and certificate of limits.url are right',
    );
  } finally {
    redis.disconnect();
  }
}
