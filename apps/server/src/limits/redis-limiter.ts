import {
  fullLimit,
  LimiterError,
  type LimitCheck,
  type Limiter,
  type LimitOutcome,
  type LimitReading,
} from '@callpass/domain';
import { connectRedis } from '@callpass/program/redis';
import type { Redis } from 'ioredis';
import { CounterMark, type CounterMarkEvents } from './counter-mark.ts';

/** Access to the counters. */
export interface RedisLimiterOptions {
  /** `redis://` or `rediss://`, with user, password and database as it may be. */
  readonly url: string;
  /** An answer that takes longer counts as none. */
  readonly timeoutMs: number;
  /** Before every key. */
  readonly keyPrefix: string;
  /** See `CounterMark`: tests that there were counters before this start. */
  readonly hadCounted: () => Promise<boolean>;
  readonly events: CounterMarkEvents & {
    /** Once each time the counters get out of reach. The error may name the address, never the password. */
    onLost(error: unknown): void;
    /** Once each time they are back. */
    onReady(): void;
  };
}

/**
 * All or none: looks at every counter first, and counts only if no enforced one is full. Redis runs nothing else meanwhile.
 * ARGV: "take" or "peek", then for each key its max (-1 for a shadow limit) and its window in ms. Gives for each key what is
 * taken and how many ms are left, after whether it was counted.
 */
const SCRIPT = `
local counted = ARGV[1] == 'take'
local answer = { 0 }
for i, key in ipairs(KEYS) do
  local taken = tonumber(redis.call('GET', key) or 0)
  local max = tonumber(ARGV[2 * i])
  if max >= 0 and taken >= max then counted = false end
  answer[2 * i] = taken
  answer[2 * i + 1] = math.max(redis.call('PTTL', key), 0)
end
if counted then
  answer[1] = 1
  for i, key in ipairs(KEYS) do
    answer[2 * i] = redis.call('INCR', key)
    if answer[2 * i + 1] == 0 then
      redis.call('PEXPIRE', key, ARGV[2 * i + 1])
      answer[2 * i + 1] = tonumber(ARGV[2 * i + 1])
    end
  end
end
return answer
`;

/** Interval of the looks at the mark beside the counters. */
const LOOK_EVERY_MS = 1000;

/** The script as a command of the connection: how many keys, the keys, the arguments. */
type CountCommand = (keys: number, ...keysAndArguments: (string | number)[]) => Promise<number[]>;

/**
 * Limits for all instances together, kept in Redis or Valkey. Nothing waits for a connection: while there is none, every
 * call rejects at once; a connection that does not answer in time is given up, and others are tried until one does.
 */
export class RedisLimiter implements Limiter {
  readonly #redis: Redis;
  readonly #count: CountCommand;
  readonly #keyPrefix: string;
  readonly #timeoutMs: number;
  readonly #mark: CounterMark;
  readonly #looks: NodeJS.Timeout;

  constructor({ url, timeoutMs, keyPrefix, hadCounted, events }: RedisLimiterOptions) {
    const redis = connectRedis(
      url,
      { connectionName: 'callpass', disconnectTimeout: timeoutMs },
      {
        onLost: (error) => {
          events.onLost(error ?? new LimiterError('the connection to the counters is closed'));
        },
        onReady: () => {
          events.onReady();
        },
      },
    );
    redis.defineCommand('callpassCount', { lua: SCRIPT });
    this.#count = (redis as unknown as { callpassCount: CountCommand }).callpassCount.bind(redis);
    this.#redis = redis;
    this.#keyPrefix = keyPrefix;
    this.#timeoutMs = timeoutMs;
    this.#mark = new CounterMark({ redis, keyPrefix, hadCounted, events });
    const look = () => void this.#mark.look();
    // Before anything is counted on a connection that is new, and then beside the calls.
    redis.on('ready', look);
    this.#looks = setInterval(look, LOOK_EVERY_MS).unref();
  }

  /** See `CounterMark`. */
  get lostAtMs(): number | undefined {
    return this.#mark.lostAtMs;
  }

  async take(checks: readonly LimitCheck[]): Promise<LimitOutcome> {
    const { counted, readings } = await this.#ask('take', checks);
    if (counted) return { allowed: true, readings };
    const full = fullLimit(readings);
    if (!full) throw new LimiterError('the counters gave an answer that cannot be');
    return { allowed: false, readings, limit: full.check, retryAfterMs: full.resetAfterMs };
  }

  async peek(checks: readonly LimitCheck[]): Promise<readonly LimitReading[]> {
    return (await this.#ask('peek', checks)).readings;
  }

  /** Lets go of the connection. */
  close(): void {
    clearInterval(this.#looks);
    this.#redis.disconnect();
  }

  async #ask(
    what: 'take' | 'peek',
    checks: readonly LimitCheck[],
  ): Promise<{ counted: boolean; readings: LimitReading[] }> {
    const keys = checks.map(({ key }) => this.#keyPrefix + key);
    const rules = checks.flatMap(({ max, shadow, windowMs }) => [shadow ? -1 : max, windowMs]);
    let answer: number[];
    try {
      answer = await this.#inTime(this.#count(keys.length, ...keys, what, ...rules));
    } catch (cause) {
      // ioredis hangs the arguments on its errors, and they are no business of a log.
      throw new LimiterError('the counters are out of reach', { cause: new Error((cause as Error).message) });
    }
    return {
      counted: answer[0] === 1,
      readings: checks.map((check, index) => ({
        check,
        taken: answer[2 * index + 1],
        resetAfterMs: answer[2 * index + 2] ?? 0,
      })),
    };
  }

  /** Gives up the connection with the answer: others are waiting on it for a peer that hangs, and would pile up. */
  #inTime(answer: Promise<number[]>): Promise<number[]> {
    return new Promise((resolve, reject) => {
      let settled = false;
      const giveUp = () => {
        if (settled) return;
        reject(new Error(`no answer within ${this.#timeoutMs} ms`));
        this.#redis.disconnect(true);
      };
      // A busy event loop comes to its timers before it reads what has arrived: let it read first.
      const timer = setTimeout(() => setImmediate(giveUp), this.#timeoutMs);
      void answer.then(resolve, reject).finally(() => {
        settled = true;
        clearTimeout(timer);
      });
    });
  }
}
