import Sequencer from '@jest/test-sequencer';

/** Files that take longest, the longest first. */
const LONGEST = [
  'packages/storage/src/postgres/postgres-store.spec.ts',
  'packages/storage/src/postgres/postgres-faults.spec.ts',
  'apps/server/src/connections/certificate-end.spec.ts',
  'apps/server/src/health/health.spec.ts',
  'packages/token-core/src/token/properties.spec.ts',
  'packages/telemetry-sdk/src/otlp/encode-spans.spec.ts',
];

/** Orders files so that none of the longest is left to run alone at the end, also where Jest has no times of a run before. */
export default class extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => LONGEST.findIndex((name) => path.endsWith(name));
    const ofOthers = super.sort(tests).filter((test) => rank(test) < 0);
    const longest = tests.filter((test) => rank(test) >= 0).sort((a, b) => rank(a) - rank(b));
    return [...longest, ...ofOthers];
  }
}
