import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { nodeOptionsOf, scriptOf } from '@callpass/testkit/programs';
import { keep, plant, plantTokensIn } from './canary/keep.ts';

/** The root of the repository under test. */
export const ROOT = join(import.meta.dirname, '..', '..');

const BIN = join(ROOT, 'node_modules', '.bin');

/** The environment of a person in the repository, on the pinned Node, without what the test runner has set. */
export const ENVIRONMENT: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries({ ...process.env, PATH: `${BIN}${delimiter}${process.env['PATH']}` }).filter(
    ([name]) => !/^(NODE_OPTIONS|FORCE_COLOR|OTEL_|CALLPASS_|NX_|npm_|INIT_CWD|JEST_)/.test(name),
  ),
);

/** Gathers what a process writes, and keeps it for the canary scan of the whole run. */
export function outputOf({ stdout, stderr, pid }: ChildProcess, name: string): () => string {
  let output = '';
  const gather = (chunk: Buffer) => {
    output += chunk.toString();
    keep(`${name}-${pid}.log`, chunk);
  };
  stdout?.on('data', gather);
  stderr?.on('data', gather);
  return () => output;
}

/** Commands that answer whoever asks with credentials or a key. Nobody else may. */
const ANSWERS_WITH_SECRETS = /\bissue\b|\bkey add\b|IssueCredentials/;

/** Result of a command. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export function run(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; input?: string; cwd?: string } = {},
) {
  return new Promise<Outcome>((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? ROOT,
      env: { ...ENVIRONMENT, ...options.env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      const ran = [command, ...args].join(' ');
      if (ANSWERS_WITH_SECRETS.test(ran)) plantTokensIn(stdout);
      else keep('commands.txt', stdout);
      keep('commands.txt', stderr);
      resolve({ code, stdout, stderr });
    });
    // A command need not read what it is given.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/** Resolves when a process has ended. */
export function ended(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve({ code: child.exitCode, signal: child.signalCode });
  }
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
}

/** Content of the sandbox's ready file. */
export interface ReadyFile {
  readonly grpc: string;
  readonly edge: string;
  readonly gateway: string;
  readonly page: string;
  readonly telemetry: string;
  readonly metrics: string;
  readonly destinations: readonly string[];
  readonly realms: readonly { name: string; key: string; cipher: string; expirySeconds: number }[];
}

/** A running `npm start`. */
export interface Sandbox {
  readonly child: ChildProcess;
  readonly ready: ReadyFile;
  readonly readyFile: string;
  output(): string;
  stop(): Promise<void>;
}

/** Runs `npm start -- --ready-file F --ports auto` and waits for the file. */
export async function startSandbox(args: readonly string[] = []): Promise<Sandbox> {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-e2e-'));
  const readyFile = join(folder, 'ready.json');
  const child = spawn(
    'npm',
    ['start', '--silent', '--', '--ready-file', readyFile, '--ports', 'auto', ...args],
    { cwd: ROOT, env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const output = outputOf(child, 'sandbox');
  await new Promise<void>((resolve, reject) => {
    // The file is written after the last line, but a pipe may be slower than a file system.
    const check = () => {
      if (existsSync(readyFile) && output().includes('Ctrl-C stops it')) {
        watcher.close();
        resolve();
      }
    };
    const watcher = watch(folder, check);
    child.stdout.on('data', check);
    child.once('exit', () => {
      watcher.close();
      rmSync(folder, { recursive: true, force: true });
      reject(new Error(`npm start ended: ${output()}`));
    });
  });
  const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as ReadyFile;
  for (const { key } of ready.realms) plant('realm key', key);
  return {
    child,
    ready,
    readyFile,
    output,
    async stop() {
      // Asked for by a client that keeps it for the canary scan.
      if (child.exitCode === null && child.signalCode === null)
        await (await fetch(`${ready.gateway}/sandbox/telemetry`)).text();
      child.kill('SIGTERM');
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A running `callpass-server serve` on a store of its own. */
export interface ServerProcess {
  readonly child: ChildProcess;
  readonly address: string;
  /** host:port of its metrics, where the settings ask for them. */
  readonly telemetry: string | undefined;
  /** The SQLite file of its store. */
  readonly storeFile: string;
  /** Everything it has written. */
  output(): string;
  stop(): Promise<void>;
}

/**
 * Starts a server as an operator would, on a free port: as its image does, unless the command says otherwise.
 *
 * @param group file of a control group that the process is in from its start, so that Node knows the limit.
 */
export async function startServerProcess(
  env: NodeJS.ProcessEnv = {},
  args: readonly string[] = [],
  command: readonly string[] = ['node', ...nodeOptionsOf('server'), scriptOf('server')],
  group?: string,
): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-e2e-'));
  const storeFile = join(folder, 'callpass.db');
  const surroundings: NodeJS.ProcessEnv = {
    ...ENVIRONMENT,
    CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
    CALLPASS_STORE_URL: `sqlite:${storeFile}`,
    CALLPASS_ACCESS_LOCAL: 'everything',
    CALLPASS_STORE_RESERVE_BYTES: '0',
    CALLPASS_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    ...env,
  };
  plantKeyEncryptionKey(surroundings);
  const inGroup = group === undefined ? [] : ['sh', '-c', 'echo $$ > "$0" && exec "$@"', group];
  const [program = '', ...rest] = [...inGroup, ...command, 'serve', ...args];
  const child = spawn(program, rest, {
    env: surroundings,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output = outputOf(child, 'server');
  const ready = await new Promise<{ grpc: string; telemetry?: string }>((resolve, reject) => {
    child.once('message', (message) => {
      resolve((message as { ready: { grpc: string; telemetry?: string } }).ready);
    });
    child.once('exit', () => {
      reject(new Error(`the server ended: ${output()}`));
    });
  }).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  return {
    child,
    address: ready.grpc,
    telemetry: ready.telemetry,
    storeFile,
    output,
    async stop() {
      child.kill('SIGTERM');
      await ended(child);
      keepFolder(folder, `store-${child.pid}`);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function plantKeyEncryptionKey({ CALLPASS_KEY_ENCRYPTION_KEY: key = '' }: NodeJS.ProcessEnv): void {
  plant('key-encryption key', key);
  plant('key-encryption key', Buffer.from(key, 'base64'));
}

/** A store that somebody steals gives nothing away either. */
function keepFolder(folder: string, name: string): void {
  if (!existsSync(folder)) return;
  for (const file of readdirSync(folder)) keep(`${name}-${file}`, readFileSync(join(folder, file)));
}
