import { leafPaths, SettingsError, variableOf } from '@callpass/program/settings';
import { settingsSchema } from './schema.ts';

const OLD_PREFIX = 'CALLPASS_GATEWAY';

/**
 * Refuses environment variables with the prefix that the edge had before it was called so: unread, they would leave a
 * setting at its default in silence.
 *
 * @throws {SettingsError} that names each old variable with its new one.
 */
export function refuseOldNames(
  environment: Readonly<Record<string, string | undefined>>,
  prefix: string,
): void {
  const problems = leafPaths(settingsSchema).flatMap((path) => {
    const old = variableOf(OLD_PREFIX, path);
    return environment[old] ? [`${old} is now ${variableOf(prefix, path)}: rename the variable`] : [];
  });
  if (problems.length > 0) throw new SettingsError(problems);
}
