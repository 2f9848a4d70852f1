// `npm start`: the sandbox, from a fresh clone.
import { exitCode, prepare } from './prepare.mjs';

await prepare();
process.exit(
  await exitCode('node', ['apps/sandbox/bin/callpass-sandbox.js', ...process.argv.slice(2)], {
    stdio: 'inherit',
  }),
);
