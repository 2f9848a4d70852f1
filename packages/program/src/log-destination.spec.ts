import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogDestination } from './log-destination.ts';

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;

let folder: string;
let pipe: string;
let reader: number;
let writer: number;
let log: LogDestination;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-log-'));
  pipe = join(folder, 'pipe');
  spawnSync('mkfifo', [pipe]);
  reader = openSync(pipe, O_RDONLY | O_NONBLOCK);
  writer = openSync(pipe, O_WRONLY | O_NONBLOCK);
  log = new LogDestination(writer, (lines) => `dropped ${lines}\n`);
});
afterEach(() => {
  log.end();
  closeSync(writer);
  closeSync(reader);
  rmSync(folder, { recursive: true });
});

/** Reads what is in the pipe. */
function read(): string {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.alloc(65_536);
    let length = 0;
    try {
      length = readSync(reader, chunk);
    } catch {
      // Empty for now: EAGAIN.
    }
    if (length === 0) return Buffer.concat(chunks).toString();
    chunks.push(chunk.subarray(0, length));
  }
}

async function readUntil(text: string): Promise<string> {
  let output = read();
  while (!output.includes(text)) {
    await pause(5);
    output += read();
  }
  return output;
}

const LINE = `${'x'.repeat(99)}\n`;

describe('a log that somebody takes', () => {
  it('has each line at once', () => {
    log.write('a\n');
    log.write('b\n');
    expect(read()).toBe('a\nb\n');
    expect(log.dropped).toBe(0);
  });

  it('has bunches after a second, and what is left at the end', async () => {
    log.write('a\n', 4096);
    expect(read()).toBe('');
    expect(await readUntil('a')).toBe('a\n');
    log.write('b\n', 4096);
    log.end();
    expect(read()).toBe('b\n');
  });
});

describe('a log that nobody takes', () => {
  it('drops lines without a reader, counts them, and says so once when there is one again', async () => {
    closeSync(reader);
    for (let line = 0; line < 10; line += 1) log.write(LINE);
    expect(log.dropped).toBe(10);
    reader = openSync(pipe, O_RDONLY | O_NONBLOCK);
    expect(await readUntil('dropped')).toBe('dropped 10\n');
    log.write('b\n');
    expect(read()).toBe('b\n');
    expect(log.dropped).toBe(10);
  });

  it('keeps a bounded number of lines for a stopped reader, and says how many were dropped after them', async () => {
    const lines = 10_000;
    for (let line = 0; line < lines; line += 1) log.write(LINE);
    const { dropped } = log;
    expect(dropped).toBeGreaterThan(lines - 4000);
    const output = await readUntil('dropped');
    expect(output).toBe(`${LINE.repeat(lines - dropped)}dropped ${dropped}\n`);
    log.write('b\n');
    expect(read()).toBe('b\n');
  });

  it('does not keep the end waiting', () => {
    for (let line = 0; line < 10_000; line += 1) log.write(LINE);
    const startedAt = performance.now();
    log.end();
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it('drops what a full disk does not take', () => {
    const full = openSync('/dev/full', O_WRONLY);
    const lost = new LogDestination(full, () => '');
    lost.write('a\n');
    lost.write('b\n');
    lost.end();
    expect(lost.dropped).toBe(2);
    closeSync(full);
  });
});
