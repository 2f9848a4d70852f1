import { Readable } from 'node:stream';
import type { ExitCode } from '../exit-code.ts';
import { runProgram } from '../program.ts';

/** What a run of the program left behind. */
export interface Run {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the whole program in this process on a terminal, or on pipes by default. */
export async function runInProcess(
  args: readonly string[],
  { stdin = '', isTTY = false, noColor = false }: { stdin?: string; isTTY?: boolean; noColor?: boolean } = {},
): Promise<Run> {
  const written = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof written) => ({
    isTTY,
    write: (text: string) => void (written[name] += text),
  });
  const exitCode = await runProgram(args, {
    stdin: Readable.from([stdin]),
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    noColor,
  });
  return { exitCode, ...written };
}
