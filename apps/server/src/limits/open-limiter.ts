import { MemoryLimiter, type Clock, type Configuration, type Limiter, type Store } from '@callpass/domain';
import { describeDatabaseFault, redisPlace } from '@callpass/program';
import type { Logger } from '@callpass/program/log';
import { METRICS, type Instruments } from '@callpass/telemetry';
import type { Settings } from '../settings/schema.ts';
import type { CounterMarkEvents } from './counter-mark.ts';

/** A limiter and how to let go of it. */
export interface OpenLimiter {
  readonly limiter: Limiter & {
    /** Time at which the counters were found to be lost; `undefined` or left out if they were not. */
    readonly lostAtMs?: number | undefined;
  };
  close(): void;
}

/** Parts that a limiter works with. */
export interface LimiterParts {
  readonly log: Logger;
  readonly make: Instruments;
  readonly clock: Clock;
  readonly store: Pick<Store, 'readTimes'>;
  readonly state: { readonly snapshot: { readonly configuration: Configuration } };
}

/** Ways in which counters are lost; values of the metric. */
const LOSSES = ['emptied', 'evicted'] as const;

/** Drops of counters for lack of memory are said again after this time. */
const SAY_AGAIN_MS = 3_600_000;

/** Tests that a second server on the same store would double each limit, and that nobody has said that this is meant. */
export function countsAlone({ limits }: Pick<Settings, 'limits'>): boolean {
  return limits.url === MEMORY && !limits.perInstance;
}

const MEMORY = 'memory:';

/**
 * The limiter that the settings ask for. Does not wait for Redis and does not need it to start: until it is in reach, each
 * limit does what it says for then.
 */
export async function openLimiter(
  { limits }: Pick<Settings, 'limits'>,
  parts: LimiterParts,
): Promise<OpenLimiter> {
  if (limits.url === MEMORY) return { limiter: new MemoryLimiter(), close: () => undefined };
  const { RedisLimiter } = await import('./redis-limiter.ts');
  const { log, clock, store, state } = parts;
  const limiter = new RedisLimiter({
    url: limits.url,
    timeoutMs: limits.timeout,
    keyPrefix: limits.keyPrefix,
    // Within the longest window an issue may still count: then there were counters.
    hadCounted: async () => {
      const windowMs = longestWindowMs(state.snapshot.configuration);
      if (windowMs === 0) return false;
      return (await store.readTimes(clock.now() - windowMs)).laterIssueMs !== undefined;
    },
    events: {
      ...reportLosses(parts),
      onLost: (error) => {
        log.warn(
          { limits: redisPlace(limits.url), cause: describeDatabaseFault(error) },
          'limits cannot be counted; each does what it says for that',
        );
      },
      onReady: () => {
        log.info({ limits: redisPlace(limits.url) }, 'limits are counted in Redis');
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

/** The longest window of any limit; 0 where there are none. */
export function longestWindowMs({ destinations }: Pick<Configuration, 'destinations'>): number {
  return Math.max(0, ...destinations.flatMap(({ limits }) => limits.map(({ windowMs }) => windowMs)));
}

function reportLosses({ log, make }: Pick<LimiterParts, 'log' | 'make'>): CounterMarkEvents {
  const losses = make.counter(METRICS.limitLosses);
  // From the start at zero: a rate is of a rise, and the first of all would not be one.
  for (const loss of LOSSES) losses(loss);
  let saidAtMs = -Infinity;
  return {
    onEmptied({ lostAtMs, isReporter }) {
      const detail = { lostAt: new Date(lostAtMs).toISOString() };
      if (!isReporter) {
        log.warn(detail, 'the counters of the limits were lost, as another instance has reported');
        return;
      }
      losses('emptied').add();
      log.error(
        detail,
        'the counters of the limits were lost: Redis was emptied, restarted without them or put back; each limit may be granted once more in its window',
      );
    },
    onEvicted(keys) {
      losses('evicted').add();
      if (performance.now() - saidAtMs < SAY_AGAIN_MS) return;
      saidAtMs = performance.now();
      log.error(
        { keys },
        'Redis drops keys because its memory is full, so counters of limits may be lost: give it memory and set maxmemory-policy noeviction',
      );
    },
    onBlind(error) {
      log.warn(
        { cause: describeDatabaseFault(error) },
        'limits are counted, but a loss of their counters would not be noticed',
      );
    },
  };
}
