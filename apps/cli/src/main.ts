import { telemetry } from './telemetry.ts';
import { runProgram } from './program.ts';

// Whoever reads may stop early, as `head` does: then nothing is left to do.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', () => process.exit(process.exitCode));

const { stdin, stdout, stderr, env } = process;
process.exitCode = await runProgram(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  noColor: (env['NO_COLOR'] ?? '') !== '',
  untilInterrupted() {
    const controller = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
    return controller.signal;
  },
});
await telemetry.stop();
await new Promise((written) => stdout.write('', written));
process.exit();
