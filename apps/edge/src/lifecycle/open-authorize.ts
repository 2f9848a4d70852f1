import type { Logger } from '@callpass/program/log';
import { SettingsError } from '@callpass/program/settings';
import type { FastifyInstance } from 'fastify';
import type { AuthorizeOptions } from '../authorize/options.ts';
import type { Settings } from '../settings/schema.ts';
import { createRedisSessions } from '../single-use/redis-sessions.ts';
import { createMemorySessions, type SessionStore } from '../single-use/session-store.ts';

/**
 * Options of `/v1/authorize` by the settings, with what it works with, which is closed with the app. Undefined where it is off. Throws
 * SettingsError on settings that cannot be used.
 */
export function openAuthorize(
  app: FastifyInstance,
  { authorize }: Pick<Settings, 'authorize'>,
  log: Logger,
  secret: string | undefined,
): AuthorizeOptions | undefined {
  const { realms, proxies, singleUse, ...more } = authorize;
  if (realms.length === 0 && proxies.length === 0) return undefined;
  const store = openSessions(app, singleUse, log, secret);
  if (store === undefined) return { realms, proxies, ...more };
  app.addHook('onClose', async () => store.close());
  const { whenUnavailable } = singleUse;
  return { realms, proxies, ...more, singleUse: { store, secret, whenUnavailable } };
}

function openSessions(
  app: FastifyInstance,
  { url, timeout, keyPrefix, whenUnavailable }: Settings['authorize']['singleUse'],
  log: Logger,
  secret: string | undefined,
): SessionStore | undefined {
  if (url === 'off') return undefined;
  if (url === 'memory:') return createMemorySessions();
  if (secret === undefined)
    throw new SettingsError([
      'authorize.singleUse.url: edges share Redis only with the same visitor.secrets; give them',
    ]);
  const sessions = createRedisSessions({
    url,
    timeoutMs: timeout,
    keyPrefix,
    onLost: (error) => {
      const cause = error instanceof Error ? error.message : undefined;
      log.warn({ whenUnavailable, cause }, 'Redis is out of reach: nobody knows which tokens are used');
    },
    onReady: () => log.info('used tokens are kept in Redis'),
  });
  // Not before all else is right: a check of the settings opens no connection.
  app.addHook('onReady', async () => sessions.connect());
  return sessions;
}
