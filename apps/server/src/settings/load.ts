import { loadSettings, SettingsError, type SettingsSource } from '@callpass/program/settings';
import { settingsSchema, type Settings } from './schema.ts';

export { SettingsError, type SettingsSource };

/** The prefix of the server's environment variables. */
export const SETTINGS_PREFIX = 'CALLPASS';

/** The names of former versions. */
const FORMER = { keys: { 'connections.greetingTimeout': 'connections.handshakeTimeout' } };

/** Reads the server's settings, see `loadSettings`. */
export function loadServerSettings(source: Pick<SettingsSource, 'file' | 'environment'>): Settings {
  return loadSettings({ schema: settingsSchema, prefix: SETTINGS_PREFIX, former: FORMER, ...source });
}
