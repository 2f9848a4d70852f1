import type { Logger } from '@callpass/program/log';
import { openSessions, type SessionStore } from '@callpass/program/sessions';
import { SettingsError } from '@callpass/program/settings';
import type { FastifyInstance } from 'fastify';
import type { AuthorizeOptions } from '../authorize/options.ts';
import type { Settings } from '../settings/schema.ts';

/**
 * Options of `/v1/authorize` by the settings, with what it works with, which is closed with the app. Undefined where it is off. Throws
 * SettingsError on settings that cannot be used.
 */
export async function openAuthorize(
  app: FastifyInstance,
  { authorize }: Pick<Settings, 'authorize'>,
  log: Logger,
  secret: string | undefined,
): Promise<AuthorizeOptions | undefined> {
  const { realms, proxies, singleUse, ...more } = authorize;
  if (realms.length === 0 && proxies.length === 0) return undefined;
  const store = await openStore(app, singleUse, log, secret);
  if (store === undefined) return { realms, proxies, ...more };
  app.addHook('onClose', async () => store.close());
  const { whenUnavailable } = singleUse;
  return { realms, proxies, ...more, singleUse: { store, secret, whenUnavailable } };
}

async function openStore(
  app: FastifyInstance,
  singleUse: Settings['authorize']['singleUse'],
  log: Logger,
  secret: string | undefined,
): Promise<SessionStore | undefined> {
  const isShared = singleUse.url !== 'off' && singleUse.url !== 'memory:';
  if (isShared && secret === undefined)
    throw new SettingsError([
      'authorize.singleUse.url: edges share Redis only with the same visitor.secrets; give them',
    ]);
  const sessions = await openSessions(singleUse, log, 'callpass-edge');
  // Not before all else is right: a check of the settings opens no connection.
  if (sessions) app.addHook('onReady', async () => sessions.connect());
  return sessions;
}
