import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

/** Name of the mark, after the prefix of the counters. No counter has this name: theirs have a `/`. */
export const MARK_NAME = 'generation';

/** Receives what the looks at the mark find. */
export interface CounterMarkEvents {
  /** Once on each instance for each loss. `isReporter` on one of them: the one that counts it. */
  onEmptied(loss: { lostAtMs: number; isReporter: boolean }): void;
  /** At each look in which Redis was found to have dropped keys for lack of memory since the last. */
  onEvicted(keys: number): void;
  /** Once, where Redis counts and does not allow the looks. */
  onBlind(error: Error): void;
}

/**
 * Compares the mark with what this instance knows, makes it anew where it is gone or went back, and adds a beat. Redis runs
 * nothing else meanwhile, so of several instances one finds the loss first; its time is kept in the mark.
 * ARGV: id of a new mark; id and beats that this instance knows, both empty if none; "yes" where credentials were counted
 * before. Gives id, beats, whether this instance is the first to notice, and the time of the loss in ms, empty if none.
 */
const SCRIPT = `
local mark = redis.call('HMGET', KEYS[1], 'id', 'beats', 'lost')
local id, beats, lost = mark[1], tonumber(mark[2] or 0), mark[3]
local knows = ARGV[2] ~= ''
local isGone = not id or (id == ARGV[2] and beats < tonumber(ARGV[3]))
local isOther = not isGone and knows and id ~= ARGV[2] and not lost
local isFirst = isOther or (isGone and (knows or ARGV[4] == 'yes'))
if isGone then
  id = ARGV[1]
  lost = false
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'id', id)
end
if isFirst then
  local time = redis.call('TIME')
  lost = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
  redis.call('HSET', KEYS[1], 'lost', lost)
end
beats = redis.call('HINCRBY', KEYS[1], 'beats', 1)
return { id, beats, isFirst and 1 or 0, lost or '' }
`;

type MarkCommand = (
  key: string,
  ...known: string[]
) => Promise<[id: string, beats: number, isFirst: number, lost: string]>;

/** Failures that say that Redis cannot count now either; the limiter reports them. */
const AWAY = /^(READONLY|MASTERDOWN|LOADING|OOM|NOAUTH|WRONGPASS|CLUSTERDOWN)/;

/**
 * A mark beside the counters of Redis, by which their loss is noticed: it is gone where Redis was emptied, restarted
 * without its data or replaced by an empty replica, and goes back where an older copy was loaded. Never asked by a request.
 */
export class CounterMark {
  readonly #redis: Pick<Redis, 'info'>;
  readonly #mark: MarkCommand;
  readonly #key: string;
  readonly #hadCounted: () => Promise<boolean>;
  readonly #events: CounterMarkEvents;
  #known: { readonly id: string; readonly beats: number } | undefined;
  #evicted: number | undefined;
  #lostAtMs: number | undefined;
  #isLooking = false;
  #isBlind = false;

  constructor(parts: {
    redis: Redis;
    keyPrefix: string;
    /** Asked before the first look: where credentials were issued within the longest window, there must be a mark. */
    hadCounted: () => Promise<boolean>;
    events: CounterMarkEvents;
  }) {
    parts.redis.defineCommand('callpassMark', { lua: SCRIPT, numberOfKeys: 1 });
    this.#mark = (parts.redis as unknown as { callpassMark: MarkCommand }).callpassMark.bind(parts.redis);
    this.#redis = parts.redis;
    this.#key = parts.keyPrefix + MARK_NAME;
    this.#hadCounted = parts.hadCounted;
    this.#events = parts.events;
  }

  /** Time of the last loss that any instance has noticed, on the clock of Redis; `undefined` if none. */
  get lostAtMs(): number | undefined {
    return this.#lostAtMs;
  }

  /** Looks once, unless a look is under way. Never rejects: what cannot be asked now is asked at the next look. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#lookAtMark();
      await this.#lookAtEvictions();
    } catch (error) {
      this.#noteFailure(error);
    } finally {
      this.#isLooking = false;
    }
  }

  async #lookAtMark(): Promise<void> {
    const known = this.#known;
    const hadCounted = known === undefined && (await this.#hadCounted());
    const [id, beats, isFirst, lost] = await this.#mark(
      this.#key,
      randomUUID(),
      known?.id ?? '',
      known === undefined ? '' : String(known.beats),
      hadCounted ? 'yes' : 'no',
    );
    this.#known = { id, beats };
    this.#lostAtMs = lost === '' ? undefined : Number(lost);
    const isReporter = isFirst === 1;
    const isNews = isReporter || (known !== undefined && known.id !== id);
    if (isNews && this.#lostAtMs !== undefined)
      this.#events.onEmptied({ lostAtMs: this.#lostAtMs, isReporter });
  }

  async #lookAtEvictions(): Promise<void> {
    // Where Redis does not show it, the mark must do.
    const stats = await this.#redis.info('stats').catch(() => '');
    const [, found] = /^evicted_keys:(\d+)/m.exec(stats) ?? [];
    if (found === undefined) return;
    const evicted = Number(found);
    // Less than before: Redis has started anew and counts from zero.
    const more = evicted - (this.#evicted !== undefined && this.#evicted <= evicted ? this.#evicted : 0);
    if (this.#evicted !== undefined && more > 0) this.#events.onEvicted(more);
    this.#evicted = evicted;
  }

  #noteFailure(error: unknown): void {
    if (this.#isBlind || !(error instanceof Error) || error.name !== 'ReplyError') return;
    if (AWAY.test(error.message)) return;
    this.#isBlind = true;
    // ioredis hangs the arguments on its errors.
    this.#events.onBlind(new Error(error.message));
  }
}
