import { readFileSync } from 'node:fs';
import { buildOf, describeFault, EXIT, reloadOnSignal, reportReady, stopOnSignal } from '@callpass/program';
import {
  addCommand,
  createCommandLine,
  outputOption,
  reportFindings,
  reportSettings,
  runCommand,
  runServer,
  THIS_PROCESS,
  type OutputFormat,
  type Surroundings,
} from '@callpass/program/command-line';
import { createLog } from '@callpass/program/log';
import { openProcessLog } from '@callpass/program/process-log';
import { StoreError } from '@callpass/domain';
import { backUpStore, migrateStore, resealStore, storeFile, storePlace } from '@callpass/storage';
import { checkTelemetry, unknownValues } from '@callpass/telemetry-sdk';
import type { Command } from 'commander';
import { checkDocument } from './admin/check-document.ts';
import { openTransport } from './connections/tls.ts';
import { startServer } from './server.ts';
import { loadKeyEncryptionKey } from './settings/key-encryption.ts';
import { assertTransportSafe } from './settings/listen-address.ts';
import { chooseSettingsFile, loadServerSettings, SettingsError } from './settings/load.ts';
import type { Settings } from './settings/schema.ts';
import { startServerTelemetry } from './telemetry.ts';

const NAME = 'callpass-server';

/** The command line `callpass-server`. */
export function createProgram(surroundings: Surroundings = THIS_PROCESS): Command {
  const { environment } = surroundings;
  const program = createCommandLine(
    {
      name: NAME,
      description: 'Issues and validates the short-lived credentials of anonymous calls over gRPC.',
      build: buildOf(import.meta.url),
    },
    surroundings,
  );
  const withSettings = (name: string, summary: string) => addCommand(program, name, summary);
  const fileOf = ({ settings }: { settings?: string }) => chooseSettingsFile(settings, environment);
  const run = (
    options: { settings?: string },
    command: (settings: Settings, surroundings: Surroundings) => Promise<void>,
  ) =>
    runCommand(NAME, surroundings, () =>
      command(loadServerSettings({ file: fileOf(options), environment }), surroundings),
    );

  withSettings('serve', 'Serve until SIGTERM, SIGINT or SIGQUIT').action((options: { settings?: string }) => {
    const readSettings = () => loadServerSettings({ file: fileOf(options), environment });
    return runServer(NAME, surroundings, () => serve(readSettings(), readSettings));
  });
  withSettings('check-config', 'Check the settings, and configuration documents if given')
    .argument('[documents...]', 'configuration documents (YAML or JSON)')
    .action((documents: string[], options: { settings?: string }) =>
      run(options, (settings) => checkConfig(settings, { documents, file: fileOf(options) }, surroundings)),
    );
  withSettings('migrate', 'Bring the schema of the store up to date')
    .option('--create', 'make a new, empty store where there is none')
    .action((options: MigrateOptions) =>
      run(options, (settings) => migrate(settings, options, surroundings)),
    );
  withSettings('reseal', 'Seal the keys in the store anew, under another key-encryption key')
    .requiredOption('--new-key-file <file>', 'the new key-encryption key')
    .action((options: { settings?: string; newKeyFile: string }) =>
      run(options, (settings) => reseal(settings, options.newKeyFile, surroundings)),
    );
  withSettings('backup', 'Copy an SQLite store that is in use into a new file')
    .requiredOption('--to <file>', 'the new file')
    .action((options: { settings?: string; to: string }) =>
      run(options, (settings) => backUp(settings, options.to, surroundings)),
    );
  withSettings('doctor', 'Look at all that the server needs here, and say what to do; changes nothing')
    .addOption(outputOption())
    .action((options: DoctorOptions) => doctor(options, surroundings));
  return program;
}

async function serve(settings: Settings, readSettings: () => Settings): Promise<void> {
  const log = openProcessLog({ level: settings.log.level, inBunches: settings.log.requests === 'all' });
  reloadOnSignal(log, () => readSettings().log.level);
  const telemetry = await startServerTelemetry(settings);
  telemetry.follow(log);
  const server = await startServer(settings, log);
  stopOnSignal(log, async () => {
    await server.stop();
    await telemetry.stop();
  });
  // Whoever reads it may send a signal at once.
  log.info({ address: server.address, revision: server.revision }, 'serving');
  const telemetryAddress = await telemetry.open(() => server.readiness());
  if (telemetryAddress !== undefined) log.info({ address: telemetryAddress }, 'serving telemetry');
  reportReady({ grpc: server.address, telemetry: telemetryAddress });
}

async function checkConfig(
  settings: Settings,
  { documents, file }: { readonly documents: readonly string[]; readonly file: string | undefined },
  surroundings: Surroundings,
): Promise<void> {
  assertTransportSafe(settings);
  loadKeyEncryptionKey(settings).fill(0);
  await assertFilesUsable(settings);
  reportSettings(NAME, surroundings, file, unknownValues());
  const stdout = surroundings.stdout(NAME);
  for (const name of documents) {
    const { problems, warnings } = checkDocument(readDocument(name));
    for (const { line, column, path, message } of problems) {
      surroundings.stderr.write(`${name}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}\n`);
    }
    for (const warning of warnings) surroundings.stderr.write(`${name}: warning: ${warning}\n`);
    if (problems.length > 0) surroundings.exitWith(EXIT.wrongUse);
    else stdout.write(`${name}: ok\n`);
  }
}

function readDocument(name: string): string {
  try {
    return readFileSync(name, 'utf8');
  } catch (error) {
    throw new SettingsError([`cannot read ${name}: ${describeFault(error)}`]);
  }
}

/** Throws SettingsError for certificates and keys of issuers that would stop the start. */
async function assertFilesUsable(settings: Settings): Promise<void> {
  const silent = createLog({ level: 'silent' });
  openTransport(settings, silent).stop();
  const { openKeyFile } = await import('./access/open-issuers.ts');
  for (const { jwksFile } of settings.identity.jwt)
    if (jwksFile !== undefined) openKeyFile(jwksFile, silent).stop();
}

interface MigrateOptions {
  readonly settings?: string;
  readonly create?: true;
}

async function migrate(
  settings: Settings,
  { create = false }: { readonly create?: boolean },
  surroundings: Surroundings,
): Promise<void> {
  const { url } = settings.store;
  const { applied, created } = await migrateStore({
    url,
    sealKey: loadKeyEncryptionKey(settings),
    create,
  }).catch((error: unknown) => {
    if (!create && error instanceof StoreError && error.code === 'SCHEMA_OUTDATED')
      throw new SettingsError([`store.url: ${error.message}; to make a new, empty one, give --create`]);
    throw error;
  });
  const stdout = surroundings.stdout(NAME);
  if (created) stdout.write(`new store: ${storePlace(url)}\n`);
  stdout.write(applied.length > 0 ? `migrated: ${applied.join(', ')}\n` : 'up to date\n');
}

async function reseal(settings: Settings, newKeyFile: string, surroundings: Surroundings): Promise<void> {
  const { resealed } = await resealStore({
    url: settings.store.url,
    oldKey: loadKeyEncryptionKey(settings),
    newKey: loadKeyEncryptionKey({ keyEncryption: { keyFile: newKeyFile } }),
  }).catch(whereNoStore);
  const stdout = surroundings.stdout(NAME);
  stdout.write(
    `resealed: ${resealed} values; give running instances the new key and restart them, and keep the old one with old backups\n`,
  );
}

async function backUp(settings: Settings, to: string, surroundings: Surroundings): Promise<void> {
  const { url } = settings.store;
  if (storeFile(url) === undefined) {
    throw new SettingsError([
      'store.url: only SQLite is backed up this way; PostgreSQL has pg_dump and pg_basebackup (docs/operations/backup-and-restore.md)',
    ]);
  }
  await backUpStore({ url, to }).catch(whereNoStore);
  const stdout = surroundings.stdout(NAME);
  stdout.write(
    `backed up ${storePlace(url)} to ${to}; it opens with the key-encryption key of now: keep that too, elsewhere\n`,
  );
}

/** Adds to an error that there is no store, or one of a former version, what to do. */
function whereNoStore(error: unknown): never {
  if (!(error instanceof StoreError) || error.code !== 'SCHEMA_OUTDATED') throw error;
  const { code, message, cause } = error;
  throw new StoreError(code, `${message}; correct store.url, or run callpass-server migrate`, { cause });
}

interface DoctorOptions {
  readonly settings?: string;
  readonly output: OutputFormat;
}

async function doctor({ settings, output }: DoctorOptions, surroundings: Surroundings): Promise<void> {
  const { environment } = surroundings;
  const file = chooseSettingsFile(settings, environment);
  const { examine } = await import('./doctor/doctor.ts');
  const findings = [
    ...(await examine({ file, environment, nowMs: Date.now() })),
    ...(await checkTelemetry()),
  ];
  reportFindings(NAME, surroundings, { findings, output });
}
