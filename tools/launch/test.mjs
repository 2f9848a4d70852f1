// `npm test`: every project's tests, from a fresh clone. Arguments go to Jest, for example `-- packages/token-core`.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ENV, exitCode, prepare, ROOT } from './prepare.mjs';

await prepare();
const counts = process.env.CALLPASS_TEST_COUNTS ?? join(ROOT, 'artifacts', 'test-counts');
rmSync(counts, { recursive: true, force: true });
mkdirSync(counts, { recursive: true });

process.exit(
  await exitCode('jest', ['--config', 'jest.all.mjs', ...process.argv.slice(2)], {
    env: { ...ENV, CALLPASS_TEST_COUNTS: counts },
    stdio: ['ignore', 'inherit', 'inherit'],
  }),
);
