import { readFileSync } from 'node:fs';
import { describeFault } from '@callpass/program';
import { SettingsError } from '@callpass/program/settings';

/** The text of a file that a setting names, without the line end. Throws SettingsError when it cannot be read; never with its text. */
export function readSecretFile(setting: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch (error) {
    throw new SettingsError([`${setting}: cannot read ${file}: ${describeFault(error)}`]);
  }
}

/** A secret from a file or from the settings themselves. Throws SettingsError when both are given. */
export function oneSecret(
  setting: string,
  file: string | undefined,
  text: string | undefined,
): string | undefined {
  if (file === undefined) return text;
  if (text !== undefined) throw new SettingsError([`${setting}File and ${setting} exclude each other`]);
  return readSecretFile(`${setting}File`, file);
}
