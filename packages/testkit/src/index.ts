export { canRun } from './can-run.ts';
export { SteppingClock } from './stepping-clock.ts';
export { throwawayKey } from './throwaway-key.ts';
export { sampleEntry } from './sample-entry.ts';
export { FakeLimiter } from './fake-limiter.ts';
