import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect, createAdminClient, createCredentialClient } from '@callpass/client';
import { parseConfigurationDocument } from '@callpass/config-document';
import { DOCUMENT } from './testing/test-server.ts';

const { O_RDWR, O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
const REFUSALS = 50;
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
async function serve(output: number, requests: string) {
  const main = join(import.meta.dirname, 'main.ts');
  child = spawn(process.execPath, ['--conditions=@callpass/source', main, 'serve'], {
    stdio: ['ignore', output, output, 'ipc'],
    env: {
      PATH: process.env['PATH'],
      CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
      CALLPASS_STORE_URL: `sqlite:${join(folder, 'store.db')}`,
      CALLPASS_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      CALLPASS_ACCESS_LOCAL: 'everything',
      CALLPASS_LOG_REQUESTS: requests,
      OTEL_METRICS_EXPORTER: 'prometheus',
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
    },
  });
  const [{ ready }] = (await once(child, 'message')) as [{ ready: { grpc: string; telemetry: string } }];
  return ready;
}

/** Answers of the service: an applied configuration, then refusals. */
async function answers(address: string): Promise<string[]> {
  const connection = connect({ address });
  const admin = createAdminClient(connection);
  const { configuration } = parseConfigurationDocument(DOCUMENT);
  await admin.applyConfiguration({ configuration });
  const credentials = createCredentialClient(connection);
  const outcomes = [];
  for (let call = 0; call < REFUSALS; call += 1) {
    outcomes.push(
      await credentials.issueCredentials({ destination: 'gone' }).then(
        () => 'issued',
        (error: { reason: string }) => error.reason,
      ),
    );
  }
  connection.close();
  return outcomes;
}

async function droppedOf(telemetry: string): Promise<number> {
  const text = await (await fetch(`http://${telemetry}/metrics`)).text();
  return Number(/^callpass_log_lines_dropped_total(?:\{.*\})? (\d+)/m.exec(text)?.[1]);
}

async function stopped(): Promise<unknown> {
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  return (await exit)[0] as unknown;
}

const EACH = ['all', 'refused', 'none'];

describe('a log that nobody takes changes no answer and no end', () => {
  it.each(EACH)(
    'log.requests %s: the disk is full from the start',
    async (requests) => {
      const { grpc, telemetry } = await serve(opened('/dev/full', O_WRONLY), requests);
      expect(new Set(await answers(grpc))).toEqual(new Set(['DESTINATION_UNKNOWN']));
      // Bunches are written within a second.
      if (requests !== 'all')
        expect(await droppedOf(telemetry)).toBeGreaterThan(requests === 'none' ? 0 : REFUSALS);
      expect(await stopped()).toBe(0);
    },
    TIMEOUT_MS,
  );

  it.each(EACH)(
    'log.requests %s: the reader of the pipe is gone',
    async (requests) => {
      const reader = openSync(pipe, O_RDONLY | O_NONBLOCK);
      const { grpc } = await serve(opened(pipe, O_WRONLY), requests);
      closeSync(reader);
      expect(new Set(await answers(grpc))).toEqual(new Set(['DESTINATION_UNKNOWN']));
      expect(await stopped()).toBe(0);
    },
    TIMEOUT_MS,
  );

  it.each(EACH)(
    'log.requests %s: the pipe is full, and its reader is stopped',
    async (requests) => {
      const filler = opened(pipe, O_RDWR | O_NONBLOCK);
      spawnSync('sh', ['-c', `yes > ${pipe}`], { timeout: 500, killSignal: 'SIGKILL' });
      const { grpc } = await serve(opened(pipe, O_RDWR), requests);
      expect(new Set(await answers(grpc))).toEqual(new Set(['DESTINATION_UNKNOWN']));
      expect(await stopped()).toBe(0);
      expect(readSync(filler, Buffer.alloc(1))).toBe(1);
    },
    TIMEOUT_MS,
  );
});
