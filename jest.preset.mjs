import { COMPILE_CACHE } from './tools/launch/compile-cache.mjs';

// For processes that tests start; Node reads it at its start.
process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

/** Options of a run of Jest, of one project or of all. */
export const run = {
  passWithNoTests: true,
  // Nx runs two projects at a time.
  maxWorkers: 1,
  // A process ends its threads and frees its memory, which takes longer than the half second after which Jest speaks of a leak.
  workerGracefulExitTimeout: 5000,
  reporters: ['default', new URL('tools/checks/jest-counts.mjs', import.meta.url).pathname],
};

// One Jest configuration for every project: sources as Node loads them, the same module graph as production.
export default {
  ...run,
  testEnvironment: new URL('tools/jest/environment.mjs', import.meta.url).pathname,
  runtime: new URL('tools/jest/runtime.mjs', import.meta.url).pathname,
  testEnvironmentOptions: {
    customExportConditions: ['@callpass/pooled-threads', '@callpass/source'],
  },
  moduleFileExtensions: ['ts', 'mjs', 'js', 'cjs', 'json', 'node'],
  testMatch: ['<rootDir>/src/**/*.spec.ts'],
  // Real processes, threads and databases on a machine that may be busy; what hangs still ends.
  testTimeout: 30_000,
  transform: {},
};
