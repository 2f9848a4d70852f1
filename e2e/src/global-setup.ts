import { makePrograms } from '@callpass/testkit/programs';
import { beginRun } from './canary/run.ts';

/** Prepares a run, for Jest: what follows finds all of it by the environment. */
export default function setUp(): void {
  beginRun();
  makePrograms();
}
