import type { z } from 'zod';
import { describeDatabaseFault } from '../describe-database-fault.ts';
import type { Logger } from '../log.ts';
import type { doorSettings } from '../settings/door.ts';
import type { RedisSessions } from './redis-sessions.ts';
import { createMemorySessions } from './session-store.ts';

/** Settings of the single use of tokens, complete and checked. */
export type SingleUseSettings = Readonly<z.output<typeof doorSettings.singleUse>>;

/**
 * Opens the store of sessions that the settings ask for; undefined where single use is off. It connects when it is asked to.
 *
 * @param connectionName name that Redis shows for the connection.
 */
export async function openSessions(
  { url, timeout, keyPrefix, whenUnavailable }: SingleUseSettings,
  log: Logger,
  connectionName: string,
): Promise<RedisSessions | undefined> {
  if (url === 'off') return undefined;
  if (url === 'memory:') return { ...createMemorySessions(), connect: () => undefined };
  const { createRedisSessions } = await import('./redis-sessions.ts');
  return createRedisSessions({
    url,
    connectionName,
    timeoutMs: timeout,
    keyPrefix,
    onLost: (error) => {
      log.warn(
        { whenUnavailable, cause: describeDatabaseFault(error) },
        'Redis is out of reach: nobody knows which tokens are used',
      );
    },
    onReady: () => {
      log.info('used tokens are kept in Redis');
    },
  });
}
