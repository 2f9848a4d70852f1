import { Redis, type RedisOptions } from 'ioredis';

/** Receives each change of the reach of Redis once, not each attempt. */
export interface RedisEvents {
  /** Redis got out of reach; undefined where the connection was closed without an error. The error never has the password. */
  onLost(error: unknown): void;
  /** Redis is in reach again. */
  onReady(): void;
}

/** The longest pause between two attempts to reach Redis again. */
const MAX_PAUSE_MS = 1000;

/** Time until a new connection must be ready. Nothing waits for it. */
const HANDSHAKE_MS = 2000;

/**
 * Connects to Redis or Valkey for requests that must not wait: while there is no connection, each command rejects at once, and
 * the connection is tried again without end. With `lazyConnect` all that begins with `connect`.
 *
 * @param url `redis://` or `rediss://`, with user, password and database as it may be.
 */
export function connectRedis(
  url: string,
  own: Pick<RedisOptions, 'connectionName' | 'commandTimeout' | 'disconnectTimeout' | 'lazyConnect'>,
  events: RedisEvents,
): Redis {
  const redis = new Redis(url, {
    ...own,
    disableClientInfo: true,
    // Fail at once rather than wait for a connection that may come.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // For what is no request: a peer that accepts a connection and then says nothing.
    socketTimeout: HANDSHAKE_MS,
    connectTimeout: HANDSHAKE_MS,
    retryStrategy: (attempt: number) => Math.min(50 * attempt, MAX_PAUSE_MS),
    // After a failover the old primary answers this: look again for where the name leads now.
    reconnectOnError: (error: Error) => /^(READONLY|MASTERDOWN)/.test(error.message),
  });
  let isReached: boolean | undefined;
  const lost = (error?: unknown) => {
    if (isReached === false) return;
    isReached = false;
    events.onLost(error);
  };
  redis.on('error', lost);
  redis.on('close', () => lost());
  redis.on('ready', () => {
    isReached = true;
    events.onReady();
  });
  // A last close is no loss.
  redis.on('end', () => redis.removeAllListeners());
  return redis;
}

/** Time until Redis must have answered a doctor. */
const ASK_MS = 2000;

/** Connects to Redis, asks something, and lets go of it, for a doctor. Rejects with the cause when it does not answer in time. */
export async function askRedis<T>(url: string, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: ASK_MS,
    commandTimeout: ASK_MS,
    // Nothing is under way any more when it lets go.
    disconnectTimeout: 100,
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
    return await ask(redis);
  } catch (error) {
    throw lost ?? error;
  } finally {
    redis.disconnect();
  }
}
