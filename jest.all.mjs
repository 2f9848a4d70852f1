// One run of every project's tests, for `npm test`: three processes share the files of all. Not named jest.config, which Nx
// would take for a project of its own.
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import preset, { run } from './jest.preset.mjs';

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
