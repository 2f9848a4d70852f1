import { readFileSync } from 'node:fs';

/**
 * Reads the version from the `package.json` one folder above a module, which is where it is for sources and built files.
 *
 * @example versionOf(import.meta.url)
 */
export function versionOf(moduleUrl: string): string {
  const text = readFileSync(new URL('../package.json', moduleUrl), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
