import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { startChild } from './child.ts';

/** The arguments of `load-child.ts`, and how many lines to read before the kill. */
export interface KillOptions {
  readonly url: string;
  readonly sealKey: Uint8Array;
  readonly prefix: string;
  readonly afterLines: number;
}

/** Starts a process that records without pause, kills it with SIGKILL, and gives the ids that it had acknowledged. */
export async function killUnderLoad({ url, sealKey, prefix, afterLines }: KillOptions): Promise<string[]> {
  const child = startChild('load-child.ts', [url, Buffer.from(sealKey).toString('hex'), prefix]);
  const acknowledged: string[] = [];
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  lines.on('line', (line) => {
    if (line !== 'ready') acknowledged.push(line);
    if (acknowledged.length === afterLines) child.kill('SIGKILL');
  });
  await Promise.all([once(child, 'exit'), once(lines, 'close')]);
  return acknowledged;
}
