// `npm test`: every project's tests, from a fresh clone. Arguments go to Nx, for example `-- --projects=token-core`.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ENV, exitCode, prepare, ROOT, say } from './prepare.mjs';

const COUNTS = join(ROOT, 'artifacts', 'test-counts');

await prepare();
rmSync(COUNTS, { recursive: true, force: true });
mkdirSync(COUNTS, { recursive: true });
const code = await exitCode(
  'nx',
  ['run-many', '-t', 'test', '--parallel=2', '--output-style=static', ...process.argv.slice(2)],
  { env: { ...ENV, CALLPASS_TEST_COUNTS: COUNTS }, stdio: ['ignore', 'inherit', 'inherit'] },
);

// Projects whose tests Nx found unchanged were not run again and leave no count.
const total = { passed: 0, failed: 0, skipped: 0 };
for (const file of existsSync(COUNTS) ? readdirSync(COUNTS) : []) {
  const counts = JSON.parse(readFileSync(join(COUNTS, file), 'utf8'));
  for (const key of Object.keys(total)) total[key] += counts[key];
}
say(`\n${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`);
process.exit(code);
