export { untimed as default } from './jest.e2e.config.mjs';
