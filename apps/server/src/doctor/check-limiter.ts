import { Redis } from 'ioredis';
import { limiterPlace } from '../limits/open-limiter.ts';
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
  // The failure of the command says that the connection is closed, and this one why.
  let lost: unknown;
  redis.on('error', (error: Error) => {
    lost = error;
  });
  try {
    await redis.connect();
    await redis.ping();
    return ok(name, `${limiterPlace(url)} answers`);
  } catch (error) {
    return problem(
      name,
      `${limiterPlace(url)} does not answer, so limits act as their whenUnavailable says: ${causeOf(lost ?? error)}`,
      'see that Redis runs and can be reached from here, and that name, password and certificate of limits.url are right',
    );
  } finally {
    redis.disconnect();
  }
}

/** A name with several addresses: each was tried, and the error has no words of its own. */
function causeOf(error: unknown): string {
  const tried = error instanceof AggregateError && error.message === '' ? error.errors : [error];
  return tried.map((one) => (one as Error).message).join(', ');
}
