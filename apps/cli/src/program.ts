import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addConfigCommands } from './commands/config.ts';
import { addFreezeCommands } from './commands/freeze.ts';
import { addHealthCommand } from './commands/health.ts';
import { addIssueCommand } from './commands/issue.ts';
import { addKeyCommands } from './commands/key.ts';
import { addTokenCommands } from './commands/token.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { failureOf } from './failure.ts';
import { addGlobalOptions, globalOptionsOf } from './global-options.ts';
import { createOutput } from './output.ts';
import type { Session } from './session.ts';
import type { Terminal } from './terminal.ts';

/** Does the work of a command in a session; the command is done unless the work says otherwise. */
export type RunCommand = (
  command: Command,
  work: (session: Session) => Promise<ExitCode | void>,
) => Promise<void>;

/** The command groups, in the order of the help. */
const GROUPS: readonly ((program: Command, run: RunCommand) => void)[] = [
  addIssueCommand,
  addTokenCommands,
  addConfigCommands,
  addKeyCommands,
  addFreezeCommands,
  addHealthCommand,
];

/** Runs the command line `callpass` with these arguments and says what the process is to end with. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  const program = createProgram(terminal, async (command, work) => {
    exitCode = await runCommand(command, work, terminal);
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
    throw error;
  }
}

async function runCommand(
  command: Command,
  work: (session: Session) => Promise<ExitCode | void>,
  terminal: Terminal,
): Promise<ExitCode> {
  let output = createOutput(terminal, 'text');
  let address = '';
  try {
    const options = globalOptionsOf(command);
    ({ address } = options);
    output = createOutput(terminal, options.output);
    // Only now: a wrong command line or --help should not wait for gRPC to load.
    const [{ openSession }, { withSpan }] = await Promise.all([
      import('./session.ts'),
      import('@callpass/telemetry'),
    ]);
    const session = await openSession(options, terminal, output);
    try {
      return (await withSpan('callpass.command.run', () => work(session))) ?? EXIT.done;
    } finally {
      session.close();
    }
  } catch (error) {
    const failure = await failureOf(error, address);
    output.failure(failure);
    return failure.exitCode;
  }
}

function createProgram(terminal: Terminal, run: RunCommand): Command {
  const program = new Command('callpass')
    .description('Issues and validates credentials of anonymous calls, and operates the service that does.')
    .version(version())
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
      '\nExit codes: 0 done, 1 refused or not valid, 2 wrong use, 3 the service could not be reached.',
    );
  addGlobalOptions(program);
  for (const addGroup of GROUPS) addGroup(program, run);
  return program;
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
