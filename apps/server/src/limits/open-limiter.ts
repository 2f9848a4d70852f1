import { MemoryLimiter, type Limiter } from '@callpass/domain';
import { describeError, type Logger } from '@callpass/program/log';
import type { Settings } from '../settings/schema.ts';
import { RedisLimiter } from './redis-limiter.ts';

/** A limiter and how to let go of it. */
export interface OpenLimiter {
  readonly limiter: Limiter;
  close(): void;
}

/** Tests that a second server on the same store would double each limit, and that nobody has said that this is meant. */
export function countsAlone({ limits }: Pick<Settings, 'limits'>): boolean {
  return limits.url === MEMORY && !limits.perInstance;
}

const MEMORY = 'memory:';

/**
 * The limiter that the settings ask for. Does not wait for Redis and does not need it to start: until it is in reach, each
 * limit does what it says for then.
 */
export function openLimiter({ limits }: Pick<Settings, 'limits'>, log: Logger): OpenLimiter {
  if (limits.url === MEMORY) return { limiter: new MemoryLimiter(), close: () => undefined };
  const limiter = new RedisLimiter({
    url: limits.url,
    timeoutMs: limits.timeout,
    keyPrefix: limits.keyPrefix,
    events: {
      onLost: (error) => {
        log.warn(
          { limits: limiterPlace(limits.url), error: describeError(error) },
          'limits cannot be counted; each does what it says for that',
        );
      },
      onReady: () => {
        log.info({ limits: limiterPlace(limits.url) }, 'limits are counted in Redis');
      },
    },
  });
  return {
    limiter,
    close: () => {
      limiter.close();
    },
  };
}

const DEFAULT_PORT = '6379';

/** Describes where the counters of a `redis:` or `rediss:` URL are, for messages. Never holds a password. */
export function limiterPlace(url: string): string {
  const { hostname, port } = new URL(url);
  return `Redis at ${hostname || 'localhost'}:${port || DEFAULT_PORT}`;
}
