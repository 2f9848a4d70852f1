import { loadSettings, type SettingsSource } from '@callpass/program/settings';
import { RENAMED_KEYS, refuseOldNames } from './old-names.ts';
import { settingsSchema, type Settings } from './schema.ts';

/** The prefix of the edge's environment variables. */
export const SETTINGS_PREFIX = 'CALLPASS_EDGE';

/** Reads the edge's settings, see `loadSettings`. */
export function loadEdgeSettings(source: Pick<SettingsSource, 'file' | 'environment'>): Settings {
  refuseOldNames(source.environment, SETTINGS_PREFIX);
  return loadSettings({ schema: settingsSchema, prefix: SETTINGS_PREFIX, renamed: RENAMED_KEYS, ...source });
}
