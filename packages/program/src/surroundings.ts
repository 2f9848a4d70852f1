import { openStandardOutput, type StandardOutput } from './output.ts';

/** A program's view of its process. A test gives its own and calls the program as a function. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stderr: { write(text: string): unknown };
  /** Opens standard output for the answer of a command, see {@link openStandardOutput}. */
  stdout(program: string): StandardOutput;
  /** Sets the exit code for the end of the work. */
  exitWith(code: number): void;
  /** Ends the program at once. */
  exit(code: number): never;
}

/** Surroundings of a program that is this process. */
export const THIS_PROCESS: Surroundings = {
  environment: process.env,
  stderr: process.stderr,
  stdout: openStandardOutput,
  exitWith(code) {
    process.exitCode = code;
  },
  exit: (code) => process.exit(code),
};
