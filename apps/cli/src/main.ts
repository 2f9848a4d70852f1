import { openStandardOutput } from '@callpass/program';
import { telemetry } from './telemetry.ts';
import { runProgram } from './program.ts';

const { stdin, stderr, env } = process;
const stdout = openStandardOutput('callpass');
process.exitCode = await runProgram(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  noColor: (env['NO_COLOR'] ?? '') !== '',
  untilInterrupted() {
    const controller = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
    return AbortSignal.any([controller.signal, stdout.readerGone]);
  },
});
await telemetry.stop();
await stdout.flushed();
process.exit();
