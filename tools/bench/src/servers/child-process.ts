import { execFileSync, spawn, type ChildProcess, type Serializable } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Answer } from './orders.ts';

/** A process of the benchmark's own, with a channel for messages. */
export interface BenchChild {
  readonly process: ChildProcess;
  /** CPU seconds that all its threads have used; NaN where the system does not tell (elsewhere than Linux). */
  cpuSeconds(): number;
  /** The same of its main thread, which is where JavaScript serves requests. */
  mainThreadCpuSeconds(): number;
  /** Resident memory in MB; NaN where the system does not tell (elsewhere than Linux). */
  residentMegabytes(): number;
  /** The next message. Rejects when the process ends first. */
  message(): Promise<unknown>;
  /** Its first message, in which it says that it serves and what one has to know for that. Rejects when the process ends first. */
  ready<T>(): Promise<T>;
  /** Resolves with the result of an order, see `takeOrders`. Rejects with why it could not be done. */
  ask<Result>(order: Serializable): Promise<Result>;
  /** Asks it to end, waits, and kills it if it does not listen. */
  stop(): Promise<void>;
}

const STOP_LIMIT_MS = 15_000;
/** Clock ticks per second in /proc, on every Linux that runs Node. */
const TICKS_A_SECOND = 100;

/** Environment of the benchmark's child processes, without variables for Node, telemetry or the server. */
const ENVIRONMENT: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS|OTEL_|CALLPASS_)/.test(name)),
);

/** Runs a source file of this folder, or of the one given, on this Node. */
export function startSource(file: URL, args: readonly string[] = []): BenchChild {
  return startNode(['--conditions=@callpass/source', fileURLToPath(file), ...args], {});
}

/** Runs Node with an environment that has no settings but these. What it writes to stderr is shown. */
export function startNode(args: readonly string[], env: NodeJS.ProcessEnv): BenchChild {
  const child = spawn(process.execPath, args, {
    env: { ...ENVIRONMENT, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // JSON has no NaN.
    serialization: 'advanced',
  });
  return metered(child, (resolve) => child.once('message', resolve));
}

/** Runs any program. Its messages are the lines that it writes. */
export function startProgram(file: string, args: readonly string[], env: NodeJS.ProcessEnv): BenchChild {
  const child = spawn(file, args, { env: { ...ENVIRONMENT, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  return metered(child, (resolve) => lines.once('line', resolve));
}

/** Lets a process run on this core only, with all its threads. Throws if the system has no `taskset`. */
export function pin({ process: { pid } }: BenchChild, core: number): void {
  execFileSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' });
}

function metered(
  child: ChildProcess,
  onceMessage: (resolve: (message: unknown) => void) => void,
): BenchChild {
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const message = () =>
    new Promise((resolve, reject) => {
      onceMessage(resolve);
      void ended.then(() => reject(new Error(`${child.spawnargs.at(-1)} ended; its reason is above`)));
    });
  return {
    process: child,
    cpuSeconds: () => cpuSecondsOf(`/proc/${child.pid}`),
    mainThreadCpuSeconds: () => cpuSecondsOf(`/proc/${child.pid}/task/${child.pid}`),
    residentMegabytes: () => residentMegabytesOf(`/proc/${child.pid}`),
    message,
    ready: async <T>() => ((await message()) as { readonly ready: T }).ready,
    async ask<Result>(order: Serializable) {
      const answered = message() as Promise<Answer<Result>>;
      child.send(order);
      const answer = await answered;
      if ('error' in answer) throw new Error(answer.error);
      return answer.result;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

function cpuSecondsOf(folder: string): number {
  try {
    // The name of the program, in parentheses, may hold blanks: what is counted comes after it.
    const fields = readFileSync(`${folder}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  } catch {
    return NaN;
  }
}

function residentMegabytesOf(folder: string): number {
  try {
    const [, kibibytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`${folder}/status`, 'utf8')) ?? [];
    return (Number(kibibytes) * 1024) / 1_000_000;
  } catch {
    return NaN;
  }
}
