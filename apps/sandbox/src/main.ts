import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT, ignoreLostOutput } from '@callpass/program';
import { followGrpcLog } from '@callpass/program/grpc-log';
import { DESTINATIONS } from './destinations.ts';
import { readOptions } from './options.ts';
import { report } from './report.ts';
import { startSandbox } from './sandbox.ts';

ignoreLostOutput();
const options = readOptions();
const folder = mkdtempSync(join(tmpdir(), 'callpass-sandbox-'));
process.once('exit', () => {
  rmSync(folder, { recursive: true, force: true });
  if (options.readyFile !== undefined) rmSync(options.readyFile, { force: true });
});

// Signals may come while it still starts: they are kept until there is something to stop.
const stopAsked = new Promise<'asked'>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    process.on(signal, () => {
      resolve('asked');
    });
  }
});

followGrpcLog({
  warn: ({ kind, count }) => process.stderr.write(`callpass-sandbox: gRPC library: ${kind} (${count})\n`),
});
try {
  const sandbox = await startSandbox(options, folder);
  const { addresses, realms, proof } = sandbox;
  process.stdout.write(report({ addresses, ...proof }));
  if (options.readyFile !== undefined) {
    writeReadyFile(options.readyFile, { ...addresses, destinations: DESTINATIONS, realms });
  }
  const ended = await Promise.race([stopAsked, sandbox.died]);
  await sandbox.stop();
  if (ended !== 'asked') throw new Error(`the ${ended} stopped unexpectedly`);
  process.exit(EXIT.done);
} catch (error) {
  process.stderr.write(`callpass-sandbox: ${error instanceof Error ? error.message : 'failed'}\n`);
  process.exit(EXIT.failed);
}

/** Whoever waits for the file finds it whole: written beside its place and moved. It holds keys, so only for its owner. */
function writeReadyFile(name: string, content: unknown): void {
  const part = `${name}.${process.pid}.part`;
  writeFileSync(part, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(part, name);
}
