export { beginRun as default } from './run.ts';
