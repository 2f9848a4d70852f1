export { timed as default } from './jest.e2e.config.mjs';
