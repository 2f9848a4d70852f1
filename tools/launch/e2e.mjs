// `npm run e2e`: the product as a stranger uses it: npm start, the command line, buf curl, openssl, real processes.
import { mkdirSync } from 'node:fs';
import { exitCode, prepare } from './prepare.mjs';

await prepare();
if (process.env.CALLPASS_TEST_COUNTS) mkdirSync(process.env.CALLPASS_TEST_COUNTS, { recursive: true });
process.exit(
  await exitCode('nx', ['run', '@callpass/e2e:e2e', '--output-style=static', ...process.argv.slice(2)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  }),
);
