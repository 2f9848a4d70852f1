import { Command, CommanderError } from 'commander';
import { addConfigCommands } from './commands/config.ts';
import { addDevCertsCommand } from './commands/dev-certs.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addFreezeCommands } from './commands/freeze.ts';
import { addHealthCommand } from './commands/health.ts';
import { addIncidentCommands } from './commands/incident.ts';
import { addIssueCommand } from './commands/issue.ts';
import { addKeyCommands } from './commands/key.ts';
import { addLedgerCommands } from './commands/ledger.ts';
import { addTokenCommands } from './commands/token.ts';
import { addTopCommand } from './commands/top.ts';
import { buildOf, EXIT, type ExitCode, versionText } from '@callpass/program';
import { followGrpcLog } from '@callpass/program/grpc-log';
import { failureOf } from './failure.ts';
import { addGlobalOptions, type GlobalOptions, globalOptionsOf } from './global-options.ts';
import { createOutput, type Output } from './output.ts';
import type { RunCommand } from './run-command.ts';
import type { Session } from './session.ts';
import type { Terminal } from './terminal.ts';

/** The command groups, in the order of the help. */
const GROUPS: readonly ((program: Command, run: RunCommand) => void)[] = [
  addIssueCommand,
  addTokenCommands,
  addConfigCommands,
  addKeyCommands,
  addFreezeCommands,
  addIncidentCommands,
  addLedgerCommands,
  addTopCommand,
  addHealthCommand,
  addDoctorCommand,
  addDevCertsCommand,
];

/** Runs the command line `callpass` with these arguments and says what the process is to end with. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  followGrpcLog({
    warn: ({ kind, count }) => terminal.stderr.write(`callpass: gRPC library: ${kind} (${count})\n`),
  });
  const run = async (command: Command, work: Work) => {
    exitCode = await runCommand(command, work, terminal);
  };
  const online = (command: Command, work: (session: Session) => Promise<ExitCode | void>) =>
    run(command, (options, output) => inSession(options, { terminal, output, work }));
  const offline: RunCommand['offline'] = (command, work) =>
    run(command, (_options, output) => work({ terminal, output }));
  const program = createProgram(terminal, Object.assign(online, { offline }));
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
    throw error;
  }
}

type Work = (options: GlobalOptions, output: Output) => Promise<ExitCode | void>;

async function runCommand(command: Command, work: Work, terminal: Terminal): Promise<ExitCode> {
  let output = createOutput(terminal, 'text');
  try {
    const options = globalOptionsOf(command);
    output = createOutput(terminal, options.output);
    return (await work(options, output)) ?? EXIT.done;
  } catch (error) {
    const failure = await failureOf(error);
    output.failure(failure);
    return failure.exitCode;
  }
}

async function inSession(
  options: GlobalOptions,
  {
    terminal,
    output,
    work,
  }: { terminal: Terminal; output: Output; work: (session: Session) => Promise<ExitCode | void> },
): Promise<ExitCode | void> {
  // Only now: a wrong command line or --help should not wait for gRPC to load.
  const { openSession, withSpan } = await import('./session.ts');
  const session = await openSession(options, terminal, output);
  try {
    return await withSpan('callpass.command.run', () => work(session));
  } finally {
    session.close();
  }
}

function createProgram(terminal: Terminal, run: RunCommand): Command {
  const program = new Command('callpass')
    .description('Issues and validates credentials of anonymous calls, and operates the service that does.')
    .version(versionText(buildOf(import.meta.url)))
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help says what is possible)')
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      outputError: (text, write) => {
        write(text.replace(/^error: /, 'callpass: '));
      },
    })
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 refused or not valid, 2 wrong use, 3 the service could not be reached, 4 the answer could not be written.',
    );
  addGlobalOptions(program);
  for (const addGroup of GROUPS) addGroup(program, run);
  return program;
}
