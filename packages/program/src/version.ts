import { readFileSync } from 'node:fs';

/** Version of a program, and the commit that it was made from. */
export interface Build {
  readonly version: string;
  /** Commit, 40 hexadecimal digits; `undefined` where it runs from a working copy. */
  readonly commit?: string | undefined;
  /** Time of the commit (RFC 3339). */
  readonly commitTime?: string | undefined;
}

interface Manifest {
  readonly version: string;
  readonly gitHead?: string;
  readonly builtFrom?: string;
}

/**
 * Reads version and commit from the `package.json` one folder above a module, which is where it is for sources, built and
 * published files.
 *
 * @example buildOf(import.meta.url)
 */
export function buildOf(moduleUrl: string): Build {
  const text = readFileSync(new URL('../package.json', moduleUrl), 'utf8');
  const { version, gitHead, builtFrom } = JSON.parse(text) as Manifest;
  return { version, commit: gitHead, commitTime: builtFrom };
}

/** Text of a build for `--version`: `0.1.0`, with the commit and its time where they are known. */
export function versionText({ version, commit, commitTime }: Build): string {
  if (commit === undefined) return version;
  return `${version} (${[commit.slice(0, 12), commitTime].filter(Boolean).join(', ')})`;
}
