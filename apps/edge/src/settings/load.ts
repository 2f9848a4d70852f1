import { loadSettings, type SettingsSource } from '@callpass/program/settings';
import { settingsSchema, type Settings } from './schema.ts';

/** The prefix of the edge's environment variables. */
export const SETTINGS_PREFIX = 'CALLPASS_EDGE';

/** The names of before the program was called edge. */
const FORMER = { prefix: 'CALLPASS_GATEWAY', keys: { doors: 'compatibilityRoutes' } };

/** Reads the edge's settings, see `loadSettings`. */
export function loadEdgeSettings(source: Pick<SettingsSource, 'file' | 'environment'>): Settings {
  return loadSettings({ schema: settingsSchema, prefix: SETTINGS_PREFIX, former: FORMER, ...source });
}
