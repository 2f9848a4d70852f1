import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { scriptOf } from '@callpass/testkit/programs';
import { ended, ENVIRONMENT, type Outcome } from './processes.ts';
import { keep } from './canary/keep.ts';

/** A running `callpass` command that ends at Ctrl-C only. */
export interface EndlessCommand<T> {
  /** Objects that it has written so far. */
  written(): readonly T[];
  /** Resolves when these fit; rejects where the command ends before. */
  until(fits: (written: readonly T[]) => boolean): Promise<void>;
  /** Presses Ctrl-C. */
  interrupt(): Promise<Outcome>;
}

/** Starts it, with its answers as JSON. */
export function startEndlessCommand<T>(args: readonly string[], env: NodeJS.ProcessEnv): EndlessCommand<T> {
  const child = spawn('node', [scriptOf('cli'), ...args, '--output=json'], {
    env: { ...ENVIRONMENT, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk: Buffer) => {
      output[name] += chunk.toString();
      keep(`callpass-${child.pid}.log`, chunk);
    });
  const written = () =>
    output.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as T);
  return {
    written,
    async until(fits) {
      while (!fits(written())) {
        if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended: ${output.stderr}`);
        await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
      }
    },
    async interrupt() {
      child.kill('SIGINT');
      const { code } = await ended(child);
      return { code, ...output };
    },
  };
}
