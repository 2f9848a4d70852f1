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
import { basename, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const DOCKERFILE = join(ROOT, 'deploy', 'docker', 'Dockerfile');
const PARENT = join(ROOT, 'artifacts', 'programs');
const DIGEST_LENGTH = 16;
/** Time for which programs that no run has used are kept. */
const KEPT_MS = 24 * 3600 * 1000;

/** Variable with the folder of the programs of a run. */
const VARIABLE = 'CALLPASS_TEST_PROGRAMS';

const NAMES = ['server', 'edge', 'cli'] as const;

/** Name of a program: its folder in apps/, and the target of its image. */
export type ProgramName = (typeof NAMES)[number];

/**
 * Makes the programs as images have them: each with the packages of the workspace, as `tsc -b` has built them, bundled in it. They lie
 * in the repository, whose `node_modules` have the packages of others. This process and the workers of its tests find them.
 */
export function makePrograms(): void {
  mkdirSync(PARENT, { recursive: true });
  const made = mkdtempSync(join(PARENT, 'new-'));
  execFileSync(process.execPath, ['tools/packages/stage-programs.mjs', made, ...NAMES], {
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
    if (now.getTime() - (statSync(other, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > KEPT_MS)
      rmSync(other, { recursive: true, force: true });
  process.env[VARIABLE] = folder;
}

/** Digest of the names and contents of all files of a folder. */
function digestOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name);
    if (statSync(path).isFile()) hash.update(name).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex').slice(0, DIGEST_LENGTH);
}

/** Gives the path of the script of a program. Throws where {@link makePrograms} was not called. */
export function scriptOf(name: ProgramName): string {
  const folder = process.env[VARIABLE];
  if (folder === undefined) throw new Error('makePrograms() comes first: in Jest the global set-up calls it');
  return join(folder, name, 'bin', basename(entrypointOf(name).at(-1) as string));
}

/** Gives the options of Node with which the image of a program starts it. */
export function nodeOptionsOf(name: ProgramName): readonly string[] {
  return entrypointOf(name).slice(1, -1);
}

/** Gives the command of the image of a program, without arguments: Node, its options, the script. */
export function entrypointOf(name: ProgramName): readonly string[] {
  const image = new RegExp(`^FROM system AS ${name}\\n(?:(?!^FROM ).*\\n)*?ENTRYPOINT (.*)$`, 'm');
  const [, entrypoint] = image.exec(readFileSync(DOCKERFILE, 'utf8')) ?? [];
  if (entrypoint === undefined) throw new Error(`${DOCKERFILE} has no image ${name}`);
  return JSON.parse(entrypoint) as string[];
}
