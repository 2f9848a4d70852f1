// `npm run e2e`: the product as a stranger uses it: npm start, the command line, buf curl, openssl, real processes. First the
// files that run beside each other, then those that measure. Arguments go to Jest, for example `-- src/drain`.
import { mkdirSync } from 'node:fs';
import { ENV, exitCode, prepare } from './prepare.mjs';

await prepare();
if (process.env.CALLPASS_TEST_COUNTS) mkdirSync(process.env.CALLPASS_TEST_COUNTS, { recursive: true });
const codes = [];
for (const config of ['e2e/jest.e2e.config.mjs', 'e2e/jest.e2e-alone.config.mjs']) {
  codes.push(
    await exitCode('jest', ['--config', config, ...process.argv.slice(2)], {
      env: { ...ENV, NODE_OPTIONS: '--experimental-vm-modules' },
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  );
}
process.exit(Math.max(...codes));
