import { Command, Option } from 'commander';
import { EXIT } from './exit.ts';
import { printFindings, type Finding } from './finding.ts';
import { ignoreLostOutput } from './output.ts';
import { reportFailure } from './log.ts';
import { SettingsError } from './settings/load.ts';
import type { Surroundings } from './surroundings.ts';
import { type Build, versionText } from './version.ts';

export { THIS_PROCESS, type Surroundings } from './surroundings.ts';

/** Name of a program, and what its help and `--version` say. */
export interface ProgramText {
  readonly name: string;
  readonly description: string;
  readonly build: Build;
}

/** The command line of a program that serves. Wrong use ends the program with `EXIT.wrongUse`. */
export function createCommandLine(
  { name, description, build }: ProgramText,
  surroundings: Surroundings,
): Command {
  ignoreLostOutput();
  return new Command(name)
    .description(description)
    .version(versionText(build))
    .configureOutput({
      writeOut: (text) => surroundings.stdout(name).write(text),
      writeErr: (text) => surroundings.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, `${name}: `)),
    })
    .showHelpAfterError('(--help says what is possible)')
    .exitOverride((error) => surroundings.exit(error.exitCode === 0 ? EXIT.done : EXIT.wrongUse));
}

/** Adds a command that reads the settings. */
export function addCommand(program: Command, name: string, summary: string): Command {
  return program
    .command(name)
    .summary(summary)
    .description(summary)
    .option('--settings <file>', 'settings file (YAML)');
}

/** Does the work of the command that serves. As {@link runCommand}, but what went wrong is a line of the log. */
export function runServer(
  program: string,
  surroundings: Surroundings,
  work: () => Promise<void>,
): Promise<void> {
  return runCommand(program, surroundings, work, (error) => {
    if (isForOperator(error)) reportFailure(`${program} cannot start: ${error.message}`, {});
    else reportFailure(`${program} cannot start`, { error });
  });
}

/**
 * Does the work of a command. Where it rejects, standard error says why, and the program ends with `EXIT.wrongUse` for a
 * SettingsError and with `EXIT.failed` for anything else. Errors with a code are meant for the operator, so their message
 * is enough; others show their stack.
 */
export async function runCommand(
  program: string,
  surroundings: Surroundings,
  work: () => Promise<void>,
  report: (error: unknown) => void = (error) => {
    surroundings.stderr.write(`${program}: ${isForOperator(error) ? error.message : stackOf(error)}\n`);
  },
): Promise<void> {
  try {
    await work();
  } catch (error) {
    report(error);
    surroundings.exitWith(error instanceof SettingsError ? EXIT.wrongUse : EXIT.failed);
  }
}

function isForOperator(error: unknown): error is Error {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}

function stackOf(error: unknown): string {
  return (error as Error).stack ?? String(error);
}

/**
 * Writes that the settings can be used.
 *
 * @param ignored variables of telemetry with a value that is not known, each with those that it may have.
 */
export function reportSettings(
  program: string,
  surroundings: Surroundings,
  file: string | undefined,
  ignored: readonly { readonly variable: string; readonly allowed: string }[],
): void {
  surroundings
    .stdout(program)
    .write(`${file ?? 'settings without a file (--settings), from defaults and the environment'}: ok\n`);
  for (const { variable, allowed } of ignored)
    surroundings.stderr.write(`warning: ${variable} is ignored, it has to be ${allowed}\n`);
}

/** Form of an answer. */
export type OutputFormat = 'text' | 'json';

/** The option `--output` of a command whose answer people or scripts read. */
export function outputOption(): Option {
  return new Option('--output <format>', 'text or json').choices(['text', 'json']).default('text');
}

/** Writes the findings of a doctor to standard output. A problem makes the program end with `EXIT.failed`. */
export function reportFindings(
  program: string,
  surroundings: Surroundings,
  { findings, output }: { readonly findings: readonly Finding[]; readonly output: OutputFormat },
): void {
  const stdout = surroundings.stdout(program);
  const colours = stdout.isTTY && surroundings.environment['NO_COLOR'] === undefined;
  stdout.write(
    output === 'json' ? `${JSON.stringify({ findings }, undefined, 2)}\n` : printFindings(findings, colours),
  );
  if (findings.some(({ state }) => state === 'problem')) surroundings.exitWith(EXIT.failed);
}
