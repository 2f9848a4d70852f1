/** Keeps the session that each token has opened, until the token has expired. Holds keyed hashes only. */
export interface SessionStore {
  /**
   * Records `session` under `key` for `lifetimeMs`, unless one is recorded there. Resolves with the one that is recorded then, in one
   * step for all who ask. Rejects when that cannot be known.
   */
  claim(key: string, session: string, lifetimeMs: number): Promise<string>;
  close(): void;
}

interface Claimed {
  readonly session: string;
  readonly endMs: number;
}

/** Creates a store for one program. It has an entry for each token in use, and forgets it when the token has expired. */
export function createMemorySessions(nowMs: () => number = () => performance.now()): SessionStore {
  const claimed = new Map<string, Claimed>();
  return {
    async claim(key, session, lifetimeMs) {
      const now = nowMs();
      for (const [old, { endMs }] of claimed) {
        if (endMs > now) break;
        claimed.delete(old);
      }
      const known = claimed.get(key);
      if (known !== undefined && known.endMs > now) return known.session;
      claimed.delete(key);
      claimed.set(key, { session, endMs: now + lifetimeMs });
      return session;
    },
    close: () => {
      claimed.clear();
    },
  };
}
