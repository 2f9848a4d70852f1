import { connectRedis } from '../redis.ts';
import type { SessionStore } from './session-store.ts';

/** Options of a store in Redis or Valkey. */
export interface RedisSessionsOptions {
  /** `redis://` or `rediss://`, with user, password and database as it may be. */
  readonly url: string;
  /** Name that Redis shows for the connection. */
  readonly connectionName: string;
  /** An answer that takes longer counts as none. */
  readonly timeoutMs: number;
  /** Before every key. */
  readonly keyPrefix: string;
  /** Once each time Redis gets out of reach. The error may name the address, never the password. */
  readonly onLost: (error: unknown) => void;
  /** Once each time it is back. */
  readonly onReady: () => void;
}

/** Store for many programs. */
export interface RedisSessions extends SessionStore {
  /** Begins to connect, and tries it again without end. */
  connect(): void;
}

/** Creates a store for many programs. Nothing waits for a connection: while there is none, `claim` rejects at once. */
export function createRedisSessions(options: RedisSessionsOptions): RedisSessions {
  const { url, connectionName, timeoutMs, keyPrefix, onLost, onReady } = options;
  const redis = connectRedis(
    url,
    { connectionName, commandTimeout: timeoutMs, disconnectTimeout: timeoutMs, lazyConnect: true },
    {
      onLost: (error) => {
        onLost(error ?? new Error('the connection is closed'));
      },
      onReady,
    },
  );
  return {
    // A failure is told by the events.
    connect: () => void redis.connect().catch(() => undefined),
    async claim(key, session, lifetimeMs) {
      const name = keyPrefix + key;
      const isFirst = await redis.set(name, session, 'PX', lifetimeMs, 'NX');
      if (isFirst !== null) return session;
      // An entry that has just expired belongs to nobody who may still come.
      return (await redis.get(name)) ?? '';
    },
    close: () => {
      redis.disconnect();
    },
  };
}
