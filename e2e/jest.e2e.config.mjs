import preset from '../jest.preset.mjs';

// Not named jest.config: `npm test` is for what runs in seconds, `npm run e2e` for the whole product.
export default {
  ...preset,
  rootDir: import.meta.dirname,
  testMatch: ['<rootDir>/src/**/*.e2e.ts'],
  testTimeout: 60_000,
  // Whatever a run emits is searched at its end for whatever it keeps secret.
  globalSetup: '<rootDir>/src/canary/global-setup.ts',
  setupFiles: ['<rootDir>/src/canary/tap.ts'],
  globalTeardown: '<rootDir>/src/canary/global-teardown.ts',
};
