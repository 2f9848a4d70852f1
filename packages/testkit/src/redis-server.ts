import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canRun } from './can-run.ts';
import { freePort } from './free-port.ts';

/** Redis server that a test can stop, start and suspend. */
export interface RedisServer {
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Suspends the process, so that connections stay open without a response. */
  freeze(): void;
  thaw(): void;
  /** Sends one command and returns the first line of the response. */
  ask(command: string): Promise<string>;
  /** Stops the server and removes its files. */
  remove(): Promise<void>;
}

/** Checks if `redis-server` is installed; see {@link canRun}. */
export function redisIsInstalled(forWhat: string): boolean {
  const { status } = spawnSync('redis-server', ['--version']);
  return canRun(status === 0, 'redis-server is not installed', forWhat);
}

/** Starts `redis-server` on a free port, in memory only. */
export async function ownRedisServer(): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'callpass-redis-'));
  const port = await freePort();
  let child: ChildProcess | undefined;
  const ask = (command: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
      socket.once('data', (data) => {
        socket.destroy();
        resolve(data.toString().split('\r\n')[0] ?? '');
      });
      socket.once('error', reject);
    });
  const start = async () => {
    child = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder],
      { stdio: 'ignore' },
    );
    const ended = once(child, 'exit').then(() => {
      throw new Error('redis-server did not start');
    });
    await Promise.race([ended, answering(() => ask('PING'))]);
    ended.catch(() => undefined);
  };
  const stop = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    stop,
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    ask,
    remove: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answering(ask: () => Promise<string>): Promise<void> {
  for (;;) {
    if ((await ask().catch(() => '')) === '+PONG') return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
