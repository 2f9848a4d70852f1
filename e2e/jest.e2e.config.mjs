import preset from '../jest.preset.mjs';

/** Files that measure, and what: each has the machine to itself. */
const MEASURING = {
  'src/edge.e2e.ts': 'time to an answer while the service is away',
  'src/freeze.e2e.ts': 'time to take effect, and time to an answer with 10,000 frozen visitors',
  'src/fuzz.e2e.ts': 'memory among random peers',
  'src/hygiene.e2e.ts': 'memory among hostile peers',
  'src/identity.e2e.ts': 'time to an answer with 10,000 destinations',
  'src/limits.e2e.ts': 'time to an answer while Redis is away',
  'src/overload.e2e.ts': 'time to an answer, memory and recovery at three times the capacity',
  'src/silent-store.e2e.ts': 'time to an answer while PostgreSQL hangs',
  'src/strangers.e2e.ts': 'time to an answer and memory while strangers attack',
};

/** Files that measure in seconds, and what: they leave most of a processor idle, so two share the machine. */
const TIMED = {
  'src/drain.e2e.ts': 'time to an end under load',
  'src/hung-instance.e2e.ts': 'time to an answer while one of three instances hangs',
  'src/incident.e2e.ts': 'time to take effect at another instance, and to stop with a former key',
  'src/rotation.e2e.ts': 'validations in the lifetime of a token',
};
/** Files in which nothing is timed, of those that keep a processor busy: they may run at idle priority beside those that measure. */
const UNTIMED = ['src/image.e2e.ts', 'src/lost-answer.e2e.ts', 'src/packages.e2e.ts'];
const pathsOf = (files) => files.map((file) => `<rootDir>/${file}`);
const [measuringPaths, timedPaths, untimedPaths] = [Object.keys(MEASURING), Object.keys(TIMED), UNTIMED].map(
  pathsOf,
);

const e2e = {
  ...preset,
  rootDir: import.meta.dirname,
  // For a machine with as much to do as in CI, where lint runs beside.
  testTimeout: 120_000,
  // Whatever a run emits is searched at its end for whatever it keeps secret.
  globalSetup: '<rootDir>/src/global-setup.ts',
  setupFiles: ['<rootDir>/src/canary/tap.ts'],
  globalTeardown: '<rootDir>/src/canary/global-teardown.ts',
};

// Not named jest.config: `npm test` is for what runs in seconds, `npm run e2e` for the whole product.
export default {
  ...e2e,
  testMatch: ['<rootDir>/src/**/*.e2e.ts'],
  testPathIgnorePatterns: [...measuringPaths, ...timedPaths, ...untimedPaths],
  // One more than the processors of CI: with that they have something to do all the time.
  maxWorkers: 3,
};

export const timed = { ...e2e, testMatch: timedPaths, maxWorkers: 2 };
export const alone = { ...e2e, testMatch: measuringPaths, maxWorkers: 1 };
// What measures may leave them no processor for minutes.
export const untimed = { ...e2e, testMatch: untimedPaths, maxWorkers: 2, testTimeout: 600_000 };
