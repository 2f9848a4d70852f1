import { randomBytes } from 'node:crypto';

/** Result of one more request. */
export interface Counted {
  /** Requests of the key in its window, this one included. */
  readonly count: number;
  /** Time to the end of the window, in ms. */
  readonly leftMs: number;
}

/** Options of a {@link WindowCounter}. */
export interface WindowCounterOptions {
  readonly windowMs: number;
  /** Keys that are counted each by itself. */
  readonly maxKeys: number;
  /** The wider group of a key, by which it is counted where there are too many keys. Default: the key. */
  readonly widen?: ((key: string) => string) | undefined;
  /** Milliseconds that never go back. */
  readonly now?: (() => number) | undefined;
}

interface Window {
  count: number;
  readonly startMs: number;
}

/** Windows of the groups that are counted where there are too many keys. */
const SHARED_WINDOWS = 4096;

/**
 * Counts requests by key, in a window of time that begins with the first. Memory is bounded and no window is forgotten before
 * it is over: while there are too many keys, new ones are counted together with others, those of one group in the same
 * window. Which groups share one differs from process to process, so nobody can choose with whom to share.
 */
export class WindowCounter {
  readonly #windowMs: number;
  readonly #maxKeys: number;
  readonly #widen: (key: string) => string;
  readonly #now: () => number;
  readonly #seed = randomBytes(4).readInt32LE();
  /** In the order of their starts. */
  readonly #own = new Map<string, Window>();
  readonly #shared = new Map<number, Window>();

  constructor({
    windowMs,
    maxKeys,
    widen = (key) => key,
    now = () => performance.now(),
  }: WindowCounterOptions) {
    this.#windowMs = windowMs;
    this.#maxKeys = maxKeys;
    this.#widen = widen;
    this.#now = now;
  }

  /** Windows that are held. */
  get size(): number {
    return this.#own.size + this.#shared.size;
  }

  /** Counts a request. */
  count(key: string): Counted {
    const nowMs = this.#now();
    this.#forgetEnded(nowMs);
    const window = this.#own.get(key) ?? this.#sharedWindow(key, nowMs) ?? begin(this.#own, key, nowMs);
    window.count++;
    return { count: window.count, leftMs: this.#windowMs - (nowMs - window.startMs) };
  }

  /** The window that the key's group has, or needs now, in place of one for each key. */
  #sharedWindow(key: string, nowMs: number): Window | undefined {
    const isFull = this.#own.size >= this.#maxKeys;
    if (!isFull && this.#shared.size === 0) return undefined;
    const group = this.#groupOf(key);
    const shared = this.#shared.get(group);
    // A window goes on to its end, also where there is room again: the key may have spent its limit there.
    if (shared !== undefined && nowMs - shared.startMs < this.#windowMs) return shared;
    this.#shared.delete(group);
    return isFull ? begin(this.#shared, group, nowMs) : undefined;
  }

  #forgetEnded(nowMs: number): void {
    for (const [key, { startMs }] of this.#own) {
      if (nowMs - startMs < this.#windowMs) return;
      this.#own.delete(key);
    }
  }

  #groupOf(key: string): number {
    let hash = this.#seed;
    for (const char of this.#widen(key)) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
    return (hash ^ (hash >>> 15)) & (SHARED_WINDOWS - 1);
  }
}

function begin<Key>(windows: Map<Key, Window>, key: Key, startMs: number): Window {
  const window = { count: 0, startMs };
  windows.set(key, window);
  return window;
}
