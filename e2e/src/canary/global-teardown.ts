export { endRun as default } from './run.ts';
