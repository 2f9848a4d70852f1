import { buildOf, reloadOnSignal, reportReady, stopOnSignal } from '@callpass/program';
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
import { droppedLogLines } from '@callpass/program/log';
import { openProcessLog } from '@callpass/program/process-log';
import { createInstruments, METRICS } from '@callpass/telemetry';
import { checkTelemetry, unknownValues } from '@callpass/telemetry-sdk';
import type { Command } from 'commander';
import { examine } from './doctor/doctor.ts';
import { checkSettings, startEdge } from './lifecycle/start-edge.ts';
import { loadEdgeSettings } from './settings/load.ts';
import type { Settings } from './settings/schema.ts';
import { openTelemetryPort, telemetry } from './telemetry.ts';

const NAME = 'callpass-edge';

/** The command line `callpass-edge`. */
export function createProgram(surroundings: Surroundings = THIS_PROCESS): Command {
  const { environment } = surroundings;
  const program = createCommandLine(
    {
      name: NAME,
      description: 'Gives browsers the short-lived credentials of anonymous calls over HTTP.',
      build: buildOf(import.meta.url),
    },
    surroundings,
  );
  const withSettings = (
    name: string,
    summary: string,
    work: (settings: Settings, readSettings: () => Settings, file?: string) => Promise<void>,
    run = runCommand,
  ) =>
    addCommand(program, name, summary).action(({ settings: file }: { settings?: string }) => {
      const readSettings = () => loadEdgeSettings({ file, environment });
      return run(NAME, surroundings, () => work(readSettings(), readSettings, file));
    });

  withSettings('serve', 'Serve until SIGTERM, SIGINT or SIGQUIT', serve, runServer);
  withSettings('check-config', 'Check the settings and the files they name', async (settings, _, file) => {
    await checkSettings(settings);
    reportSettings(NAME, surroundings, file, unknownValues());
  });
  addCommand(program, 'doctor', 'Look at all that the edge needs here, and say what to do; changes nothing')
    .addOption(outputOption())
    .action(({ settings: file, output }: { settings?: string; output: OutputFormat }) =>
      runCommand(NAME, surroundings, async () => {
        const findings = [...(await examine({ file, environment })), ...(await checkTelemetry())];
        reportFindings(NAME, surroundings, { findings, output });
      }),
    );
  return program;
}

async function serve(settings: Settings, readSettings: () => Settings): Promise<void> {
  const log = openProcessLog({ level: settings.log.level, inBunches: settings.log.requests === 'all' });
  telemetry.follow(log);
  reloadOnSignal(log, () => readSettings().log.level);
  createInstruments().total(METRICS.logLinesDropped, () => [[droppedLogLines()]]);
  let stopping = false;
  const port = await openTelemetryPort(() => ({ ready: !stopping, detail: {} }));
  const edge = await startEdge(settings, log).catch(async (error: unknown) => {
    await port?.stop();
    throw error;
  });
  stopOnSignal(log, async () => {
    stopping = true;
    await edge.stop();
    await Promise.all([port?.stop(), telemetry.stop()]);
  });
  // Whoever reads it may send a signal at once.
  log.info({ address: edge.address, service: settings.service.address }, 'serving');
  if (port) log.info({ address: port.address }, 'serving telemetry');
  reportReady({ edge: edge.address });
}
