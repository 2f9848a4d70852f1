import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Sequencer from '@jest/test-sequencer';

const ROOT = join(import.meta.dirname, '..', '..');

/** Files that take longest, the longest first: most of their time they wait. */
const LONGEST = [
  'apps/server/src/connections/connection-end.spec.ts',
  'packages/storage/src/postgres/postgres-store.spec.ts',
  'apps/server/src/health/health.spec.ts',
  'packages/storage/src/postgres/postgres-faults.spec.ts',
  'apps/server/src/credentials/moderation.spec.ts',
  'apps/edge/src/lifecycle/certificate.spec.ts',
  'apps/cli/src/process.spec.ts',
];
const moved = LONGEST.filter((name) => !existsSync(join(ROOT, name)));
if (moved.length > 0) throw new Error(`no longer there, name them anew here: ${moved.join(', ')}`);

/** Orders files so that none of the longest is left to run alone at the end, also where Jest has no times of a run before. */
export default class extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => LONGEST.findIndex((name) => path.endsWith(name));
    const ofOthers = super.sort(tests).filter((test) => rank(test) < 0);
    const longest = tests.filter((test) => rank(test) >= 0).sort((a, b) => rank(a) - rank(b));
    return [...longest, ...ofOthers];
  }
}
