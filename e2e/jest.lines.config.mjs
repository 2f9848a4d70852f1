import preset, { run } from '../jest.preset.mjs';

/**
 * Tests at the boundary of what is published, as `tsc -b` has built them, for a Node of another line: it need not read TypeScript.
 * `e2e/src/packages.e2e.ts` runs them.
 */
const FILES = {
  'packages/client': 'credentials/credential-client calls/call-options connection/tls-credentials',
  'apps/cli': 'program',
  // Those that ask over a socket: what `inject` of Fastify needs, Jest cannot load on Node 22.
  'apps/edge': 'lifecycle/start-edge lifecycle/certificate',
  'apps/server': 'credentials/issue ledger/service',
};

export default {
  ...run,
  passWithNoTests: false,
  // Connections that a test has left must not keep the process.
  forceExit: true,
  maxWorkers: 2,
  reporters: ['default'],
  rootDir: new URL('..', import.meta.url).pathname,
  testEnvironment: preset.testEnvironment,
  runtime: preset.runtime,
  testTimeout: preset.testTimeout,
  testMatch: Object.entries(FILES).flatMap(([project, files]) =>
    files.split(' ').map((file) => `<rootDir>/${project}/dist/${file}.spec.js`),
  ),
  // The staged packages have the names of those that they are made from.
  modulePathIgnorePatterns: ['<rootDir>/artifacts/'],
  transform: {},
};
