import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const PARENT = join(ROOT, 'artifacts', 'programs');
const DIGEST_LENGTH = 16;
/** Time for which programs that no run has used are kept. */
const KEPT_MS = 24 * 3600 * 1000;

/** Variable with the folder of the programs of a run. */
const VARIABLE = 'CALLPASS_TEST_PROGRAMS';

/** Script of each program, by its folder in apps/. */
const SCRIPTS = {
  server: 'bin/callpass-server.js',
  edge: 'bin/callpass-edge.js',
  cli: 'bin/callpass.js',
} as const;

/** Name of a program: its folder in apps/. */
export type ProgramName = keyof typeof SCRIPTS;

/**
 * Makes the programs as images have them: each with the packages of the workspace, as `tsc -b` has built them, bundled in it. They lie
 * in the repository, whose `node_modules` have the packages of others. This process and those that it starts from now on find them.
 *
 * @returns their folder.
 */
export function makePrograms(): string {
  mkdirSync(PARENT, { recursive: true });
  const made = mkdtempSync(join(PARENT, 'new-'));
  execFileSync(process.execPath, ['tools/packages/stage-programs.mjs', made, ...Object.keys(SCRIPTS)], {
    cwd: ROOT,
  });
  // The same files have the same path: another run may be using them, and Node keeps compiled code by path.
  const folder = join(PARENT, digestOf(made));
  try {
    renameSync(made, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    rmSync(made, { recursive: true });
  }
  const now = new Date();
  utimesSync(folder, now, now);
  for (const other of readdirSync(PARENT).map((name) => join(PARENT, name)))
    if (now.getTime() - statSync(other).mtimeMs > KEPT_MS) rmSync(other, { recursive: true });
  process.env[VARIABLE] = folder;
  return folder;
}

/** Digest of the names and contents of all files of a folder. */
function digestOf(folder: string): string {
  const hash = createHash('sha256');
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const path of entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort())
    hash.update(relative(folder, path)).update('\0').update(readFileSync(path)).update('\0');
  return hash.digest('hex').slice(0, DIGEST_LENGTH);
}

/** Path of the script of a program. Makes the programs where nobody has done so for this process. */
export function scriptOf(name: ProgramName): string {
  return join(process.env[VARIABLE] ?? makePrograms(), name, SCRIPTS[name]);
}
