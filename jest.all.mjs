// One run of every project's tests, for `npm test`: three processes share the files of all. Not named jest.config, which Nx
// would take for a project of its own.
import { existsSync, globSync, readFileSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import preset, { run } from './jest.preset.mjs';

/** A file system in memory, as Linux has it: what tests write need not outlive them, and a file is made there in less time. */
const IN_MEMORY = '/dev/shm';
const ENOUGH_BYTES = 8 * 2 ** 30;
const MOUNTS = '/proc/mounts';
/** A container has some megabytes of it, in which no program may run. */
function holdsTests(folder) {
  if (!existsSync(MOUNTS)) return false;
  const lines = readFileSync(MOUNTS, 'utf8').split('\n');
  const mount = lines.find((line) => line.split(' ')[1] === folder);
  if (mount === undefined || mount.includes('noexec')) return false;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize >= ENOUGH_BYTES;
}
if (holdsTests(IN_MEMORY)) process.env.TMPDIR ??= IN_MEMORY;

const configs = globSync('{packages,apps,tools}/*/jest.config.mjs', { cwd: import.meta.dirname });
const isOfTheRun = (option) => option in run;

export default {
  ...run,
  // One more than the processors of CI: some files wait for timers of seconds.
  maxWorkers: 3,
  // Modules of a test file are not freed by Node: a process that holds more than this is replaced by another.
  workerIdleMemoryLimit: '1.5GB',
  testTimeout: preset.testTimeout,
  testSequencer: join(import.meta.dirname, 'tools/launch/longest-first.mjs'),
  projects: await Promise.all(
    configs.map(async (file) => {
      const { default: config } = await import(join(import.meta.dirname, file));
      const ofProject = Object.entries(config).filter(([option]) => !isOfTheRun(option));
      return { ...Object.fromEntries(ofProject), rootDir: join(import.meta.dirname, dirname(file)) };
    }),
  ),
};
