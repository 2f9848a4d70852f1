import type { Surroundings } from '@callpass/program/command-line';

/** Outcome of a run of a program. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program that is made by `create` in this process, with nothing of its environment. */
export async function runCommandLine(
  create: (surroundings: Surroundings) => {
    parseAsync(args: readonly string[], options: { from: 'user' }): Promise<unknown>;
  },
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Outcome> {
  const outcome = { code: 0, stdout: '', stderr: '' };
  const ended = new Error('the program has ended');
  const surroundings: Surroundings = {
    environment,
    stderr: { write: (text) => (outcome.stderr += text) },
    stdout: () => ({
      isTTY: false,
      readerGone: new AbortController().signal,
      write: (text) => void (outcome.stdout += text),
      flushed: () => Promise.resolve(),
    }),
    exitWith: (code) => void (outcome.code = code),
    exit(code) {
      outcome.code = code;
      throw ended;
    },
  };
  await create(surroundings)
    .parseAsync(args, { from: 'user' })
    .catch((error: unknown) => {
      if (error !== ended) throw error;
    });
  return outcome;
}
