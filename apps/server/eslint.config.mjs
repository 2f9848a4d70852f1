import workspace from '../../eslint.config.mjs';

/**
 * The way of a request through this program, from the outside in, as docs/architecture.md tells it. A row names folders and
 * files of `src`; each may import what stands in later rows, and nothing of its own row or of an earlier one. Tests may
 * import everything.
 */
const ORDER = [
  ['main'],
  ['program'],
  ['doctor', 'telemetry'],
  ['server'],
  ['access-log', 'drain', 'process-metrics', 'running'],
  ['admin', 'gateway'],
  ['credentials'],
  ['health'],
  ['ledger'],
  ['connections', 'admission', 'access', 'limits', 'clock'],
  ['errors'],
  ['state'],
  ['settings', 'methods', 'follow-files', 'peer'],
];

const TESTS = ['src/**/*.spec.ts', 'src/testing/**'];

const forbid = (files, regex, message) => ({
  files,
  ignores: TESTS,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ regex, message }] }] },
});

const order = ORDER.flatMap((row, index) =>
  row.flatMap((place) => {
    const others = ORDER.slice(0, index + 1)
      .flat()
      .filter((other) => other !== place);
    const closed = others.length === 0 ? '$' : `(${others.join('|')})(/|\\.ts$)`;
    const message = `${place} is imported by this, or beside it: see ORDER in apps/server/eslint.config.mjs`;
    return [
      forbid([`src/${place}.ts`], `^\\./${closed}`, message),
      forbid([`src/${place}/**/*.ts`], `^(\\.\\./)+${closed}`, message),
    ];
  }),
);

export default [
  ...workspace,
  forbid(['src/**/*.ts'], '^\\.', 'this place has no row yet in ORDER of apps/server/eslint.config.mjs'),
  ...order,
];
