// `npm run e2e`: the product as a stranger uses it: npm start, the command line, buf curl, openssl, real processes. First the
// files that run beside each other, then those that measure seconds, two at a time, then the others that measure, each alone, then
// those that time nothing; `--shared`, `--timed`, `--alone` and `--untimed` run a part. Other arguments go to Jest, for example `-- src/drain`.
import { mkdirSync } from 'node:fs';
import { ENV, exitCode, prepare } from './prepare.mjs';

const PARTS = {
  '--shared': 'e2e/jest.e2e.config.mjs',
  '--timed': 'e2e/jest.e2e-timed.config.mjs',
  '--alone': 'e2e/jest.e2e-alone.config.mjs',
  '--untimed': 'e2e/jest.e2e-untimed.config.mjs',
};

const parts = Object.keys(PARTS).filter((part) => process.argv.includes(part));
const ofJest = process.argv.slice(2).filter((argument) => !(argument in PARTS));
await prepare();
if (process.env.CALLPASS_TEST_COUNTS) mkdirSync(process.env.CALLPASS_TEST_COUNTS, { recursive: true });
const codes = [];
for (const part of parts.length > 0 ? parts : Object.keys(PARTS)) {
  codes.push(
    await exitCode('jest', ['--config', PARTS[part], ...ofJest], {
      env: ENV,
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  );
}
process.exit(Math.max(...codes));
