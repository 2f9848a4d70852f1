import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CallpassError, createCredentialClient } from '@callpass/client';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ended, ENVIRONMENT, ROOT } from './processes.ts';
import { provision } from './provision.ts';

const { O_RDWR, O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
const PAGE_BYTES = 4096;
const REFUSALS = 50;

/** Addresses at which a program says that it serves. */
type Ready = Readonly<Record<'grpc' | 'telemetry' | 'edge', string>>;

/** A program that serves, and the answers that it gives whether or not somebody takes its log. */
interface LoggingProgram {
  readonly program: string;
  /** Every value of its setting `log.requests`. */
  readonly requests: readonly string[];
  environment(requests: string, folder: string): NodeJS.ProcessEnv;
  expectAnswers(ready: Ready): Promise<void>;
  /** Fails where lines that a full disk did not take are not counted. */
  expectDropped?(ready: Ready, requests: string): Promise<void>;
}

const SERVER: LoggingProgram = {
  program: 'apps/server/bin/callpass-server.js',
  requests: ['all', 'refused', 'none'],
  environment: (requests, folder) => ({
    CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
    CALLPASS_STORE_URL: `sqlite:${join(folder, 'store.db')}`,
    CALLPASS_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    CALLPASS_ACCESS_LOCAL: 'everything',
    CALLPASS_LOG_REQUESTS: requests,
    OTEL_METRICS_EXPORTER: 'prometheus',
    OTEL_EXPORTER_PROMETHEUS_PORT: '0',
  }),
  async expectAnswers({ grpc }) {
    await provision(grpc);
    const client = createCredentialClient({ address: grpc });
    for (let call = 0; call < REFUSALS; call++) {
      const refused = await client.issueCredentials({ destination: 'gone' }).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(CallpassError);
      expect(refused).toMatchObject({ reason: 'DESTINATION_UNKNOWN' });
    }
    client.close();
  },
  async expectDropped({ telemetry }, requests) {
    // Bunches are written within a second.
    if (requests === 'all') return;
    const scraped = await (await fetch(`http://${telemetry}/metrics`)).text();
    const dropped = Number(/^callpass_log_lines_dropped_total(?:\{.*\})? (\d+)/m.exec(scraped)?.[1]);
    expect(dropped).toBeGreaterThan(0);
  },
};

const EDGE: LoggingProgram = {
  program: 'apps/edge/bin/callpass-edge.js',
  requests: ['off', 'refused', 'all'],
  environment: (requests) => ({
    CALLPASS_EDGE_LISTEN_ADDRESS: '127.0.0.1:0',
    CALLPASS_EDGE_SERVICE_ADDRESS: '127.0.0.1:1',
    CALLPASS_EDGE_DRAIN_DELAY: '0s',
    CALLPASS_EDGE_LOG_REQUESTS: requests,
  }),
  async expectAnswers({ edge }) {
    expect((await fetch(`${edge}/healthz`)).status).toBe(200);
    expect((await fetch(`${edge}/v1/destinations/d/credentials`, { method: 'POST' })).status).toBe(503);
  },
};

let folder: string;
let pipe: string;
let child: ChildProcess;
const open: number[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-lost-log-'));
  pipe = join(folder, 'pipe');
  spawnSync('mkfifo', [pipe]);
});
afterEach(async () => {
  child.kill('SIGKILL');
  await ended(child);
  for (const fd of open.splice(0)) closeSync(fd);
  rmSync(folder, { recursive: true });
});

function opened(file: string, flags: number): number {
  const fd = openSync(file, flags);
  open.push(fd);
  return fd;
}

/** Writes to a pipe until it takes no more. */
function fill(fd: number): void {
  for (const size of [PAGE_BYTES, 1]) {
    try {
      for (;;) writeSync(fd, Buffer.alloc(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

const CASES = [SERVER, EDGE].flatMap((of) =>
  of.requests.map((requests) => ({ name: of.program, requests, of })),
);

describe.each(CASES)('$name, log.requests $requests: a log that nobody takes', ({ requests, of }) => {
  /** Starts the program with this as standard output and standard error. */
  async function serve(output: number): Promise<Ready> {
    child = spawn('node', [join(ROOT, of.program), 'serve'], {
      stdio: ['ignore', output, output, 'ipc'],
      env: { ...ENVIRONMENT, ...of.environment(requests, folder) },
    });
    const [{ ready }] = (await once(child, 'message')) as [{ ready: Ready }];
    return ready;
  }

  async function expectEnd(): Promise<void> {
    child.kill('SIGTERM');
    expect(await ended(child)).toEqual({ code: 0, signal: null });
  }

  it('changes no answer and no end where the disk is full from the start', async () => {
    const ready = await serve(opened('/dev/full', O_WRONLY));
    await of.expectAnswers(ready);
    await of.expectDropped?.(ready, requests);
    await expectEnd();
  });

  it('changes no answer and no end where the reader of the pipe is gone', async () => {
    const reader = openSync(pipe, O_RDONLY | O_NONBLOCK);
    const ready = await serve(opened(pipe, O_WRONLY));
    closeSync(reader);
    await of.expectAnswers(ready);
    await expectEnd();
  });

  it('changes no answer and no end where the pipe is full and its reader stopped', async () => {
    const filler = opened(pipe, O_RDWR | O_NONBLOCK);
    fill(filler);
    await of.expectAnswers(await serve(opened(pipe, O_RDWR)));
    await expectEnd();
    // Nobody has read from it.
    expect(readSync(filler, Buffer.alloc(1))).toBe(1);
  });
});
