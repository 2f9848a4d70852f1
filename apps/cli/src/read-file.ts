import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { describeFault } from '@callpass/program';
import { wrongUse } from './failure.ts';

/** Reads a file, or stdin where its name is `-`. Throws a Failure of use that names the file and never shows its content. */
export async function readText(name: string, stdin: Readable): Promise<string> {
  if (name === '-') return text(stdin);
  try {
    return await readFile(name, 'utf8');
  } catch (error) {
    throw wrongUse(`cannot read ${name}: ${describeFault(error)}`);
  }
}

/** Reads a secret that stands alone in a file or on stdin: one line end behind it is not part of it. */
export async function readSecret(name: string, stdin: Readable): Promise<string> {
  return (await readText(name, stdin)).replace(/\r?\n$/, '');
}

/** An argument that may be kept out of the shell's history: `-` stands for what is on stdin. */
export async function valueOrStdin(value: string, stdin: Readable): Promise<string> {
  return value === '-' ? readSecret('-', stdin) : value;
}

/** The next line of stdin without its end; empty where stdin has ended or the signal aborts. */
export async function lineOf(stdin: Readable, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: stdin, signal });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
  }
}
