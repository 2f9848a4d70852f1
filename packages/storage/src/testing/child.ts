import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** The command line that runs a program of this folder, unbuilt. */
export function childCommand(file: string, args: readonly string[]): string[] {
  const path = fileURLToPath(new URL(`./${file}`, import.meta.url));
  return [process.execPath, '--conditions=@callpass/source', path, ...args];
}

/** Starts a program; `limitKilobytes` is the size its files may grow to, which the kernel enforces. */
export function startChild(file: string, args: readonly string[], limitKilobytes?: number): ChildProcess {
  const command = childCommand(file, args);
  const [program, ...rest] =
    limitKilobytes === undefined
      ? command
      : ['bash', '-c', 'ulimit -S -f "$0" && exec "$@"', String(limitKilobytes), ...command];
  return spawn(program as string, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
}

/** Runs a program to its end and gives what it printed. Rejects unless it exits with 0. */
export async function runChild(file: string, args: readonly string[]): Promise<string> {
  const child = startChild(file, args);
  const [printed, [code]] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    once(child, 'exit'),
  ]);
  if (code !== 0) throw new Error(`${file} ended with ${String(code)}`);
  return printed;
}
