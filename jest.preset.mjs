import { COMPILE_CACHE } from './tools/launch/compile-cache.mjs';

// For processes that tests start; Node reads it at its start.
process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

/** Options of a run of Jest, of one project or of all. */
export const run = {
  passWithNoTests: true,
  // Nx runs two projects at a time.
  maxWorkers: 1,
  reporters: ['default', new URL('tools/checks/jest-counts.mjs', import.meta.url).pathname],
};

// One Jest configuration for every project: TypeScript sources as native ES modules, the same module graph as production.
export default {
  ...run,
  testEnvironment: new URL('jest.environment.mjs', import.meta.url).pathname,
  testEnvironmentOptions: {
    customExportConditions: ['@callpass/pooled-threads', '@callpass/source', 'node', 'node-addons'],
  },
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'mjs', 'js', 'cjs', 'json', 'node'],
  testMatch: ['<rootDir>/src/**/*.spec.ts'],
  // Real processes, threads and databases on a machine that may be busy; what hangs still ends.
  testTimeout: 30_000,
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { target: 'es2024', parser: { syntax: 'typescript' } },
        sourceMaps: 'inline',
      },
    ],
  },
};
