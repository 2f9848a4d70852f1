import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A child process that serves. */
export interface Service {
  /** host:port of gRPC. */
  readonly grpc: string;
  /** Resolves when the process ends, for whatever reason. */
  readonly ended: Promise<void>;
  /** Asks it to drain and waits; kills it if it takes longer than it says. */
  stop(): Promise<void>;
}

const GRACE_SECONDS = 2;
const STOP_LIMIT_MS = 4000;

/** Starts the real server on SQLite in a folder of its own, with a key-encryption key that nobody else knows. */
export async function startService(options: { folder: string; address: string }): Promise<Service> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.resolve('@callpass/server/bin')), 'serve'],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: {
        ...process.env,
        OTEL_SERVICE_NAME: 'callpass-server',
        CALLPASS_LISTEN_ADDRESS: options.address,
        CALLPASS_STORE_URL: `sqlite:${join(options.folder, 'callpass.db')}`,
        CALLPASS_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
        CALLPASS_ACCESS_LOCAL: 'everything',
        CALLPASS_DRAIN_GRACE: `${GRACE_SECONDS}s`,
        CALLPASS_LOG_LEVEL: process.env['CALLPASS_LOG_LEVEL'] ?? 'warn',
      },
    },
  );
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
    child.once('error', () => {
      resolve();
    });
  });
  const grpc = await readyAddress(child, ended);
  return {
    grpc,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

function readyAddress(child: ChildProcess, ended: Promise<void>): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => {
      resolve((message as { ready: { grpc: string } }).ready.grpc);
    });
    void ended.then(() => {
      reject(
        new Error(
          'the server did not start; its reason is above. Is the port taken? npm start -- --ports auto takes free ones',
        ),
      );
    });
  });
}
