import preset from '../jest.preset.mjs';

// Not named jest.config: `npm test` is for what runs in seconds, `npm run e2e` for the whole product.
export default {
  ...preset,
  rootDir: import.meta.dirname,
  testMatch: ['<rootDir>/src/**/*.e2e.ts'],
  testTimeout: 60_000,
};
