import preset from '../../jest.preset.mjs';

export default {
  ...preset,
  testMatch: [...preset.testMatch, '<rootDir>/page/src/**/*.spec.ts'],
};
