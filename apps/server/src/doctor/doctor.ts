import { ok, problem, skipped, type Finding } from '@callpass/program';
import { checkSessions } from '@callpass/program/sessions';
import { assertTransportSafe } from '../settings/listen-address.ts';
import { loadServerSettings, SettingsError, type SettingsSource } from '../settings/load.ts';
import type { Settings } from '../settings/schema.ts';
import { checkCertificates } from './check-certificate.ts';
import { checkLimiter } from './check-limiter.ts';
import { checkDisk, checkKeyEncryptionKey } from './check-place.ts';
import { checkStore } from './check-store.ts';

/** Looks at everything that the server needs on this machine, in the order in which it would need it, and changes nothing. */
export async function examine(source: {
  file?: string | undefined;
  environment: SettingsSource['environment'];
  nowMs: number;
}): Promise<readonly Finding[]> {
  const settings = settingsOf(source);
  if (settings instanceof SettingsError) return [wrongSettings(settings)];
  const sealKey = checkKeyEncryptionKey(settings);
  return [
    checkSettings(settings, source.file),
    ...checkCertificates(settings, source.nowMs),
    sealKey,
    ...checkDisk(settings),
    await checkLimiter(settings.limits),
    ...(settings.authorize.enabled ? await checkSessions(settings.authorize.singleUse) : []),
    ...(sealKey.state === 'problem'
      ? [skipped('store', 'needs the key-encryption key')]
      : await checkStore(settings, source.nowMs)),
  ];
}

function settingsOf(source: Parameters<typeof loadServerSettings>[0]): Settings | SettingsError {
  try {
    return loadServerSettings(source);
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
}

function checkSettings(settings: Settings, file = 'defaults and environment, without a file'): Finding {
  try {
    assertTransportSafe(settings);
    return ok('settings', `${file}: every key is known and has a value that can be`);
  } catch (error) {
    if (error instanceof SettingsError) return wrongSettings(error);
    throw error;
  }
}

const wrongSettings = ({ message }: SettingsError) =>
  problem('settings', message, 'correct them; settings.sample.yaml shows every key');
