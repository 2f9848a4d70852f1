import type { CallpassError } from '@callpass/client';
import { ok, problem, skipped, type Finding } from '@callpass/program';
import { checkSessions } from '@callpass/program/sessions';
import { SettingsError, type SettingsSource } from '@callpass/program/settings';
import { connectService } from '../lifecycle/service.ts';
import { checkSettings } from '../lifecycle/start-edge.ts';
import { loadEdgeSettings } from '../settings/load.ts';
import type { Settings } from '../settings/schema.ts';

/** Looks at the settings, the files that they name and the service, in the order in which the edge needs them, and changes nothing. */
export async function examine(
  source: Pick<SettingsSource, 'file' | 'environment'>,
): Promise<readonly Finding[]> {
  let settings: Settings;
  try {
    settings = loadEdgeSettings(source);
    await checkSettings(settings);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const advice = 'correct them; settings.sample.yaml shows every key';
    return [problem('settings', error.message, advice), skipped('service', 'needs the settings')];
  }
  const from = source.file ?? 'defaults and environment, without a file';
  const { realms, singleUse } = settings.authorize;
  return [
    ok('settings', `${from}: every key and file is as it has to be`),
    await checkService(settings),
    ...(realms.length > 0 ? await checkSessions(singleUse) : []),
  ];
}

async function checkService(settings: Settings): Promise<Finding> {
  const { address } = settings.service;
  const service = connectService(settings);
  try {
    await service.client.checkIssuing({});
    return ok('service', `${address} answers and lets this edge issue`);
  } catch (error) {
    const { reason, message } = error as CallpassError;
    return problem(
      'service',
      `${address}: ${message}`,
      reason === undefined
        ? 'see that the service runs, that service.address and the certificates fit, and that nothing between blocks it'
        : `docs/errors.md#${reason.toLowerCase()} says what to do`,
    );
  } finally {
    service.close();
  }
}
