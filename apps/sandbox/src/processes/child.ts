import { spawn } from 'node:child_process';

/** A program of ours that tells over IPC when it serves. */
export interface Program {
  /** For messages, such as "server". */
  readonly name: string;
  /** Its file and arguments. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** A child process that serves. */
export interface Child {
  /** Address as host:port. */
  readonly address: string;
  /** Address of its metrics as host:port; `undefined` where it serves none. */
  readonly metrics: string | undefined;
  /** Resolves when the process ends, for whatever reason. */
  readonly ended: Promise<void>;
  /** Asks it to drain and waits; kills it if it takes longer than it says. */
  stop(): Promise<void>;
}

const STOP_LIMIT_MS = 4000;

/**
 * Starts a program and resolves when it serves. Rejects when it ends before; what it has to say about that has gone to
 * standard error. It ends by itself when this process is gone.
 */
export async function startChild({ name, args, environment }: Program): Promise<Child> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ...environment },
  });
  const end = Promise.withResolvers<void>();
  child.once('exit', () => end.resolve());
  child.once('error', () => end.resolve());
  const ready = Promise.withResolvers<Readonly<Record<string, string>>>();
  child.once('message', (message: { ready: Record<string, string> }) => {
    ready.resolve(message.ready);
  });
  void end.promise.then(() => {
    ready.reject(
      new Error(
        `the ${name} did not start; the reason is printed above. If its port is in use: npm start -- --ports auto uses free ports`,
      ),
    );
  });
  const addresses = await ready.promise;
  return {
    address: Object.values(addresses)[0] ?? '',
    metrics: addresses['telemetry'],
    ended: end.promise,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await end.promise;
      clearTimeout(timer);
    },
  };
}
