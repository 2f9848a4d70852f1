import { Readable } from 'node:stream';
import type { ExitCode } from '@callpass/program';
import { runProgram } from '../program.ts';

/** Outcome of a run of the program. */
export interface Run {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** Surroundings of a run. */
export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly isTTY?: boolean;
  /** Size of the terminal; left out, nobody knows. */
  readonly columns?: number;
  readonly rows?: number;
  readonly noColor?: boolean;
  /** Aborts where a person would press Ctrl-C. */
  readonly interrupted?: AbortSignal;
  /** Hears of what was written to stdout so far. */
  readonly onStdout?: (stdout: string) => void;
}

/** Runs the whole program in this process on a terminal, or on pipes by default. */
export async function runInProcess(
  args: readonly string[],
  {
    stdin = '',
    isTTY = false,
    columns,
    rows,
    noColor = false,
    interrupted = new AbortController().signal,
    onStdout,
  }: RunOptions = {},
): Promise<Run> {
  const written = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof written) => ({
    isTTY,
    columns,
    rows,
    write(text: string) {
      written[name] += text;
      if (name === 'stdout') onStdout?.(written.stdout);
    },
  });
  const exitCode = await runProgram(args, {
    stdin: Readable.from([stdin]),
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    noColor,
    untilInterrupted: () => interrupted,
  });
  return { exitCode, ...written };
}
