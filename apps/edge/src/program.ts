import { Command } from 'commander';
import { checkSettings, startEdge } from './lifecycle/start-edge.ts';
import { onSupervisorGone, reportToSupervisor } from './lifecycle/supervisor.ts';
import { createLog } from './log.ts';
import { loadEdgeSettings, SettingsError } from './settings/load.ts';
import type { Settings } from './settings/schema.ts';
import { openTelemetryPort, telemetry } from './telemetry.ts';

/** Exit codes: 0 done, 1 the edge failed, 2 settings or use are wrong. */
const EXIT = { failed: 1, wrong: 2 } as const;

/** The command line `callpass-edge`. */
export function createProgram(): Command {
  const program = new Command('callpass-edge').description(
    'Gives browsers the short-lived credentials of anonymous calls over HTTP.',
  );
  const withSettings = (name: string, summary: string, work: (settings: Settings) => Promise<void>) =>
    program
      .command(name)
      .summary(summary)
      .description(summary)
      .option('--settings <file>', 'settings file (YAML)')
      .action((options: { settings?: string }) => run(options, work));

  withSettings('serve', 'Serve until SIGTERM or SIGINT', serve);
  withSettings('check-config', 'Check the settings and the files they name', async (settings) => {
    await checkSettings(settings);
    process.stdout.write('settings: ok\n');
  });
  program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT.wrong));
  return program;
}

async function run(
  options: { settings?: string },
  command: (settings: Settings) => Promise<void>,
): Promise<void> {
  try {
    await command(loadEdgeSettings({ file: options.settings, environment: process.env }));
  } catch (error) {
    const known = error instanceof SettingsError;
    const text = known ? error.message : ((error as Error).stack ?? String(error));
    process.stderr.write(`callpass-edge: ${text}\n`);
    process.exitCode = known ? EXIT.wrong : EXIT.failed;
  }
}

async function serve(settings: Settings): Promise<void> {
  const log = createLog(settings);
  let stopping = false;
  const port = await openTelemetryPort(() => ({ ready: !stopping, detail: {} }));
  const edge = await startEdge(settings, log).catch(async (error: unknown) => {
    await port?.stop();
    throw error;
  });
  if (port) log.info({ address: port.address }, 'serving telemetry');
  const stop = (why: string) => {
    // A terminal's Ctrl-C reaches the whole process group, and npm hands it on once more: once is enough.
    if (stopping) return;
    stopping = true;
    log.info({ why }, 'stopping');
    void edge
      .stop()
      .then(() => Promise.all([port?.stop(), telemetry.stop()]))
      .catch((error: unknown) => {
        log.error({ error: String(error) }, 'did not stop cleanly');
        process.exitCode = EXIT.failed;
      })
      .finally(() => process.exit());
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  onSupervisorGone(() => {
    stop('supervisor gone');
  });
  reportToSupervisor({ edge: edge.address });
}
