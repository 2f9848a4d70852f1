import { Redis } from 'ioredis';
import type { SessionStore } from './session-store.ts';

/** Options of a store in Redis or Valkey. */
export interface RedisSessionsOptions {
  /** `redis://` or `rediss://`, with user, password and database as it may be. */
  readonly url: string;
  /** An answer that takes longer counts as none. */
  readonly timeoutMs: number;
  /** Before every key. */
  readonly keyPrefix: string;
  /** Once each time Redis gets out of reach. The error may name the address, never the password. */
  readonly onLost: (error: unknown) => void;
  /** Once each time it is back. */
  readonly onReady: () => void;
}

/** The longest pause between two attempts to reach Redis again. */
const MAX_PAUSE_MS = 1000;

/** Time until a new connection must be ready. Nothing waits for it. */
const HANDSHAKE_MS = 2000;

/** Creates a store for many edges. Nothing waits for a connection: while there is none, `claim` rejects at once. */
export function createRedisSessions(options: RedisSessionsOptions): SessionStore {
  const { url, timeoutMs, keyPrefix } = options;
  const redis = new Redis(url, {
    connectionName: 'callpass-edge',
    disableClientInfo: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: timeoutMs,
    connectTimeout: HANDSHAKE_MS,
    socketTimeout: HANDSHAKE_MS,
    retryStrategy: (attempt: number) => Math.min(50 * attempt, MAX_PAUSE_MS),
    // After a failover the old primary answers this: look again for where the name leads now.
    reconnectOnError: (error: Error) => /^(READONLY|MASTERDOWN)/.test(error.message),
  });
  let isReached: boolean | undefined;
  const lost = (error: unknown) => {
    if (isReached === false) return;
    isReached = false;
    options.onLost(error);
  };
  redis.on('error', lost);
  redis.on('close', () => lost(new Error('the connection is closed')));
  redis.on('ready', () => {
    isReached = true;
    options.onReady();
  });
  redis.on('end', () => redis.removeAllListeners());
  return {
    async claim(key, session, lifetimeMs) {
      const name = keyPrefix + key;
      const isFirst = await redis.set(name, session, 'PX', lifetimeMs, 'NX');
      if (isFirst !== null) return session;
      // An entry that has just expired belongs to nobody who may still come.
      return (await redis.get(name)) ?? '';
    },
    close: () => redis.disconnect(),
  };
}
