import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CallpassError, createCredentialClient } from '@callpass/client';
import { canRun } from '@callpass/testkit';
import { scriptOf, type ProgramName } from '@callpass/testkit/programs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ended, ENVIRONMENT } from './processes.ts';
import { provision } from './provision.ts';

const { O_APPEND, O_CREAT, O_RDWR, O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
const PAGE_BYTES = 4096;
const REFUSALS = 50;
const DISK_KIB = 256;
/** Time limit of the end; a log that is waited for takes more. */
const END_MS = 5000;
/** The log tries again every second. */
const SAID_AGAIN_MS = 5000;

/** Addresses at which a program says that it serves. */
type Ready = Readonly<Record<'grpc' | 'telemetry' | 'edge', string>>;

/** A program that serves, and the answers that it gives whether or not somebody takes its log. */
interface LoggingProgram {
  readonly name: ProgramName;
  /** Every value of its setting `log.requests`. */
  readonly requests: readonly string[];
  environment(requests: string, folder: string): NodeJS.ProcessEnv;
  expectAnswers(ready: Ready): Promise<void>;
  /** Fails where lines that a full disk did not take are not counted. */
  expectDropped?(ready: Ready, requests: string): Promise<void>;
}

const SERVER: LoggingProgram = {
  name: 'server',
  requests: ['all', 'refused', 'none'],
  environment: (requests, folder) => ({
    CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
    CALLPASS_STORE_URL: `sqlite:${join(folder, 'store.db')}`,
    CALLPASS_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    CALLPASS_ACCESS_LOCAL: 'everything',
    CALLPASS_LOG_REQUESTS: requests,
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
    expect(await droppedLines(telemetry)).toBeGreaterThan(0);
  },
};

/** Lines that a program has dropped, by its metric. */
async function droppedLines(telemetry: string): Promise<number> {
  const scraped = await (await fetch(`http://${telemetry}/metrics`)).text();
  return Number(/^callpass_log_lines_dropped_total(?:\{.*\})? (\d+)/m.exec(scraped)?.[1]);
}

const EDGE: LoggingProgram = {
  name: 'edge',
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

const mount = (place: string) =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_KIB}k`, 'tmpfs', place]).status === 0;
const unmount = (place: string) => spawnSync('umount', [place]);

/** Tells whether this user may mount a small file system. */
function canMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'callpass-disk-'));
  const mounted = mount(place);
  if (mounted) unmount(place);
  rmSync(place, { recursive: true });
  return mounted;
}

const withDisk = canRun(canMount(), 'this user may not mount a file system', 'logs on a disk that fills')
  ? it
  : it.skip;

let hasDisk = false;
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
  if (hasDisk) unmount(join(folder, 'disk'));
  hasDisk = false;
  rmSync(folder, { recursive: true });
});

function opened(file: string, flags: number): number {
  const fd = openSync(file, flags);
  open.push(fd);
  return fd;
}

/** Writes to a pipe or a file until it takes no more. */
function fill(fd: number): void {
  for (const size of [PAGE_BYTES, 1]) {
    try {
      for (;;) writeSync(fd, Buffer.alloc(size));
    } catch (error) {
      if (!/^(EAGAIN|ENOSPC)$/.test(String((error as NodeJS.ErrnoException).code))) throw error;
    }
  }
}

const CASES = [SERVER, EDGE].flatMap((of) => of.requests.map((requests) => ({ requests, of })));

describe.each(CASES)('$of.name, log.requests $requests: a log that nobody takes', ({ requests, of }) => {
  /** Starts the program with this as standard output and standard error. */
  async function serve(output: number): Promise<Ready> {
    child = spawn('node', [scriptOf(of.name), 'serve'], {
      stdio: ['ignore', output, output, 'ipc'],
      env: {
        ...ENVIRONMENT,
        OTEL_METRICS_EXPORTER: 'prometheus',
        OTEL_EXPORTER_PROMETHEUS_PORT: '0',
        ...of.environment(requests, folder),
      },
    });
    const [{ ready }] = (await once(child, 'message')) as [{ ready: Ready }];
    return ready;
  }

  async function expectEnd(): Promise<void> {
    const startMs = performance.now();
    child.kill('SIGTERM');
    expect(await ended(child)).toEqual({ code: 0, signal: null });
    expect(performance.now() - startMs).toBeLessThan(END_MS);
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

  withDisk(
    'changes no answer where the disk fills, and says once what was dropped when it is free again',
    async () => {
      const disk = join(folder, 'disk');
      mkdirSync(disk);
      hasDisk = mount(disk);
      const file = join(disk, 'log');
      const log = opened(file, O_WRONLY | O_CREAT | O_APPEND);
      const ready = await serve(log);
      // A line of every program, whatever it logs of requests.
      const nudge = () => child.kill('SIGUSR2');
      const logged = async (text: string) => {
        const untilMs = performance.now() + SAID_AGAIN_MS;
        while (!readFileSync(file, 'utf8').includes(text) && performance.now() < untilMs) await pause(50);
        expect(readFileSync(file, 'utf8')).toContain(text);
      };
      await logged('"msg":"serving telemetry"');
      const [, telemetry = ''] =
        /"address":"([^"]+)","msg":"serving telemetry"/.exec(readFileSync(file, 'utf8')) ?? [];

      fill(log);
      nudge();
      await of.expectAnswers(ready);
      const untilMs = performance.now() + SAID_AGAIN_MS;
      while ((await droppedLines(telemetry)) === 0 && performance.now() < untilMs) await pause(50);

      truncateSync(file);
      await logged('"msg":"log lines were dropped: nobody took them"');
      const dropped = await droppedLines(telemetry);
      expect(dropped).toBeGreaterThan(0);
      nudge();
      await expectEnd();
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
      const said = lines.filter((line) => line.includes('lines were dropped'));
      expect(said).toHaveLength(1);
      expect(JSON.parse(said[0] ?? '')).toMatchObject({ level: 'warn', dropped });
      expect(lines.at(-1)).toContain('"msg":"stopped"');
      for (const line of lines) expect(JSON.parse(line)).toHaveProperty('msg');
    },
  );
});
