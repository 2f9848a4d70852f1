import { leafPaths, SettingsError, variableOf } from '@callpass/program/settings';
import { settingsSchema } from './schema.ts';

const OLD_PREFIX = 'CALLPASS_GATEWAY';

/** Keys of former versions of the settings file, and the keys they are now. */
export const RENAMED_KEYS = { doors: 'compatibilityRoutes' } as const;

/**
 * Refuses environment variables of former versions: unread, they would leave a setting at its default in silence.
 *
 * @throws {SettingsError} that names each old variable with its new one.
 */
export function refuseOldNames(
  environment: Readonly<Record<string, string | undefined>>,
  prefix: string,
): void {
  const problems = leafPaths(settingsSchema).flatMap((path) => {
    const old = variableOf(OLD_PREFIX, path.map(oldKeyOf));
    return environment[old] ? [`${old} is now ${variableOf(prefix, path)}: rename the variable`] : [];
  });
  if (problems.length > 0) throw new SettingsError(problems);
}

function oldKeyOf(key: string): string {
  return Object.entries(RENAMED_KEYS).find(([, now]) => now === key)?.[0] ?? key;
}
