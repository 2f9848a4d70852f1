import { beginRun } from './canary/run.ts';
import { stagePrograms } from './programs.ts';

/** Prepares a run, for Jest: what follows finds all of it by the environment. */
export default function setUp(): void {
  beginRun();
  stagePrograms();
}
