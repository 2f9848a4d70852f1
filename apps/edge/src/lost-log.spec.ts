import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const { O_RDWR, O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
const TIMEOUT_MS = 60_000;

let folder: string;
let pipe: string;
const open: number[] = [];
let child: ChildProcess;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-lost-log-'));
  pipe = join(folder, 'pipe');
  spawnSync('mkfifo', [pipe]);
});
afterEach(() => {
  child.kill('SIGKILL');
  for (const fd of open.splice(0)) closeSync(fd);
  rmSync(folder, { recursive: true });
});

function opened(file: string, flags: number): number {
  const fd = openSync(file, flags);
  open.push(fd);
  return fd;
}

/** Starts the program with this as standard output and standard error. */
async function serve(output: number, requests: string): Promise<string> {
  const main = join(import.meta.dirname, 'main.ts');
  child = spawn(process.execPath, ['--conditions=@callpass/source', main, 'serve'], {
    stdio: ['ignore', output, output, 'ipc'],
    env: {
      PATH: process.env['PATH'],
      CALLPASS_EDGE_LISTEN_ADDRESS: '127.0.0.1:0',
      CALLPASS_EDGE_SERVICE_ADDRESS: '127.0.0.1:1',
      CALLPASS_EDGE_DRAIN_DELAY: '0s',
      CALLPASS_EDGE_LOG_REQUESTS: requests,
    },
  });
  const [{ ready }] = (await once(child, 'message')) as [{ ready: { edge: string } }];
  return ready.edge;
}

async function expectAnswersAndEnd(edge: string): Promise<void> {
  expect((await fetch(`${edge}/healthz`)).status).toBe(200);
  expect((await fetch(`${edge}/v1/destinations/d/credentials`, { method: 'POST' })).status).toBe(503);
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect((await exit)[0]).toBe(0);
}

const EACH = ['off', 'refused', 'all'];

describe('a log that nobody takes changes no answer and no end', () => {
  it.each(EACH)(
    'log.requests %s: the disk is full from the start',
    async (requests) => {
      await expectAnswersAndEnd(await serve(opened('/dev/full', O_WRONLY), requests));
    },
    TIMEOUT_MS,
  );

  it.each(EACH)(
    'log.requests %s: the reader of the pipe is gone',
    async (requests) => {
      const reader = openSync(pipe, O_RDONLY | O_NONBLOCK);
      const edge = await serve(opened(pipe, O_WRONLY), requests);
      closeSync(reader);
      await expectAnswersAndEnd(edge);
    },
    TIMEOUT_MS,
  );

  it.each(EACH)(
    'log.requests %s: the pipe is full, and its reader is stopped',
    async (requests) => {
      opened(pipe, O_RDWR);
      spawnSync('sh', ['-c', `yes > ${pipe}`], { timeout: 500, killSignal: 'SIGKILL' });
      await expectAnswersAndEnd(await serve(opened(pipe, O_RDWR), requests));
    },
    TIMEOUT_MS,
  );
});
