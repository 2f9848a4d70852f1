import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connect } from '@callpass/grpc-kit';
import { credentials } from '@grpc/grpc-js';
import { createRealms, DESTINATIONS } from './destinations.ts';
import { issueAndValidate, provision } from './provision.ts';
import { report } from './report.ts';
import { startService } from './service.ts';

const USAGE = `Usage: npm start -- [--ready-file FILE] [--ports auto|fixed]

  --ready-file FILE   write the addresses, destinations and realms as JSON when everything serves
  --ports auto        take free ports instead of the fixed ones
`;

const FIXED_GRPC = '127.0.0.1:50051';
const FREE_PORT = '127.0.0.1:0';

const options = readOptions();
const folder = mkdtempSync(join(tmpdir(), 'callpass-sandbox-'));
process.once('exit', () => {
  rmSync(folder, { recursive: true, force: true });
  if (options.readyFile !== undefined) rmSync(options.readyFile, { force: true });
});

// Signals may come while it still starts: they are kept until there is something to stop.
const stopAsked = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      resolve();
    });
  }
});

try {
  const service = await startService({ folder, address: options.autoPorts ? FREE_PORT : FIXED_GRPC });
  const connection = connect({ address: service.grpc, credentials: credentials.createInsecure() });
  const realms = createRealms();
  await provision(connection, realms);
  const proof = await issueAndValidate(connection, DESTINATIONS[0]);
  connection.close();

  const addresses = { grpc: service.grpc, edge: null, gateway: null, page: null, telemetry: null };
  process.stdout.write(report({ addresses, ...proof }));
  if (options.readyFile !== undefined) {
    writeReadyFile(options.readyFile, { ...addresses, destinations: DESTINATIONS, realms });
  }

  const ended = await Promise.race([
    stopAsked.then(() => 'asked' as const),
    service.ended.then(() => 'died' as const),
  ]);
  if (ended === 'died') throw new Error('the server ended by itself');
  await service.stop();
  process.exit(0);
} catch (error) {
  process.stderr.write(`callpass-sandbox: ${error instanceof Error ? error.message : 'failed'}\n`);
  process.exit(1);
}

function readOptions(): { readyFile: string | undefined; autoPorts: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        'ready-file': { type: 'string' },
        ports: { type: 'string', default: 'fixed' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    if (values.ports !== 'auto' && values.ports !== 'fixed') throw new Error('--ports takes auto or fixed');
    return { readyFile: values['ready-file'], autoPorts: values.ports === 'auto' };
  } catch (error) {
    process.stderr.write(`callpass-sandbox: ${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** Whoever waits for the file finds it whole: written beside its place and moved. It holds keys, so only for its owner. */
function writeReadyFile(name: string, content: unknown): void {
  const part = `${name}.${process.pid}.part`;
  writeFileSync(part, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(part, name);
}
