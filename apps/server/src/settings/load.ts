import { existsSync } from 'node:fs';
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

/** Settings file of a machine that is set up as docs/operations/run-one-machine.md says. */
const DEFAULT_FILE = '/etc/callpass/settings.yaml';

/** Variable that names the settings file, where `--settings` is not given. Empty: no file. */
export const FILE_VARIABLE = 'CALLPASS_SETTINGS';

/**
 * Chooses the settings file of a command: the one that is given, that of CALLPASS_SETTINGS, or /etc/callpass/settings.yaml if there is
 * one. So commands by hand read the same file as the service. `undefined`: settings are the defaults and the environment.
 */
export function chooseSettingsFile(
  given: string | undefined,
  environment: SettingsSource['environment'],
  exists: (file: string) => boolean = existsSync,
): string | undefined {
  if (given !== undefined) return given;
  const named = environment[FILE_VARIABLE];
  if (named !== undefined) return named === '' ? undefined : named;
  return exists(DEFAULT_FILE) ? DEFAULT_FILE : undefined;
}
