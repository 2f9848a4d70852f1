// `npm test`: every project's tests, from a fresh clone. Arguments go to Nx, for example `-- --projects=@callpass/token-core`.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ENV, exitCode, prepare, ROOT, say } from './prepare.mjs';

/** Limit on repetitions of a run that crashed. */
const RESUMES = 2;

await prepare();
const counts = process.env.CALLPASS_TEST_COUNTS ?? join(ROOT, 'artifacts', 'test-counts');
rmSync(counts, { recursive: true, force: true });
mkdirSync(counts, { recursive: true });

let code = await runTests();
// V8 of Node 24 now and then ends a process that has started and ended many threads: "Check failed: jit_page.has_value()"
// (nodejs/node#64500). Only tests do that. A run in which no test failed but a process died is taken up again: Nx has the
// results of the projects that passed, so only those are run that are missing. A test that failed is never run again.
for (let resumes = 0; code !== 0 && failedTests() === 0 && resumes < RESUMES; resumes++) {
  say('A test process crashed, no test failed: running again what is missing.');
  code = await runTests();
}
process.exit(code);

function runTests() {
  return exitCode(
    'nx',
    ['run-many', '-t', 'test', '--parallel=2', '--output-style=static', ...process.argv.slice(2)],
    { env: { ...ENV, CALLPASS_TEST_COUNTS: counts }, stdio: ['ignore', 'inherit', 'inherit'] },
  );
}

function failedTests() {
  const files = existsSync(counts) ? readdirSync(counts) : [];
  return files.reduce((sum, file) => sum + JSON.parse(readFileSync(join(counts, file), 'utf8')).failed, 0);
}
