// `npm test`: every project's tests, from a fresh clone. Arguments go to Nx, for example `-- --projects=token-core`.
import { mkdirSync } from 'node:fs';
import { ENV, exitCode, prepare } from './prepare.mjs';

await prepare();
if (process.env.CALLPASS_TEST_COUNTS) mkdirSync(process.env.CALLPASS_TEST_COUNTS, { recursive: true });
const code = await exitCode(
  'nx',
  ['run-many', '-t', 'test', '--parallel=2', '--output-style=static', ...process.argv.slice(2)],
  { env: ENV, stdio: ['ignore', 'inherit', 'inherit'] },
);

process.exit(code);
