import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { createCredentialClient } from '@callpass/client';
import { scriptOf, type ProgramName } from '@callpass/testkit/programs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { plant, plantTokensIn } from './canary/keep.ts';
import { startEdgeProcess } from './edge-process.ts';
import { ended, ENVIRONMENT, outputOf, startServerProcess, type ServerProcess } from './processes.ts';
import { provision } from './provision.ts';

/** Time for a call to reach the store, which holds it. */
const UNDER_WAY_MS = 300;

/** A program that serves, and a call of it. */
interface Serving {
  readonly child: ChildProcess;
  output(): string;
  /** Asks for credentials; resolves when it has them. */
  call(): Promise<unknown>;
  stop(): Promise<void>;
}

let folder: string;
let settings: string;
let server: ServerProcess;
let serving: Serving;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-signals-'));
  settings = join(folder, 'settings.yaml');
  setLevel('info');
  server = await startServerProcess({}, ['--settings', settings]);
});
afterEach(async () => {
  await serving.stop();
  await server.stop();
  rmSync(folder, { recursive: true });
});

const setLevel = (level: string) => writeFileSync(settings, `log: { level: ${level} }\n`);

/** Resolves when the log says this. */
async function logged(text: string): Promise<void> {
  const { child, output } = serving;
  while (!output().includes(text)) await once(child.stderr as NodeJS.ReadableStream, 'data');
}

const PROGRAMS: readonly (readonly [string, () => Promise<Serving>])[] = [
  [
    'callpass-server',
    async () => {
      const client = createCredentialClient({ address: server.address });
      return {
        child: server.child,
        output: () => server.output(),
        call: () => client.issueCredentials({ destination: 'd' }, { timeoutMs: 60_000 }),
        stop: async () => client.close(),
      };
    },
  ],
  [
    'callpass-edge',
    async () => {
      const edge = await startEdgeProcess(
        server.address,
        {
          CALLPASS_EDGE_LOG_LEVEL: undefined,
          CALLPASS_EDGE_DRAIN_DELAY: '0s',
          CALLPASS_EDGE_SERVICE_TIMEOUT: '60s',
        },
        ['--settings', settings],
      );
      return {
        child: edge.child,
        output: () => edge.output(),
        async call() {
          const answer = await fetch(`${edge.url}/v1/destinations/d/credentials`, { method: 'POST' });
          plantTokensIn(await answer.text());
          expect(answer.status).toBe(200);
        },
        stop: () => edge.stop(),
      };
    },
  ],
];

describe.each(PROGRAMS)('a serving %s', (_name, start) => {
  it('reads the log level again at SIGHUP, and says where there is nothing to do', async () => {
    serving = await start();
    const { child } = serving;
    child.kill('SIGHUP');
    await logged('SIGHUP: nothing to do');
    child.kill('SIGUSR2');
    await logged('SIGUSR2: nothing to do');
    child.kill('SIGUSR1');
    await logged('SIGUSR1: nothing to do');
    expect(serving.output()).not.toContain('Debugger');
    setLevel('debug');
    child.kill('SIGHUP');
    await logged('"before":"info","after":"debug","msg":"SIGHUP: the log level has changed"');
    setLevel('nonsense');
    child.kill('SIGHUP');
    await logged('the log level stays');
    await provision(server.address);
    await serving.call();
  });

  it('drains at SIGQUIT: a call that is under way is answered', async () => {
    await provision(server.address);
    serving = await start();
    await serving.call();
    const store = new DatabaseSync(server.storeFile);
    store.exec('begin immediate');
    const call = serving.call();
    await pause(UNDER_WAY_MS);
    serving.child.kill('SIGQUIT');
    await logged('"msg":"draining"');
    store.exec('rollback');
    store.close();
    await call;
    expect(await ended(serving.child)).toEqual({ code: 0, signal: null });
    await logged('"msg":"stopped"');
    expect(serving.output()).not.toContain('cutting off');
  });
});

/** Starts a program that is not waited for until it is ready. */
function spawnProgram(name: ProgramName, environment: NodeJS.ProcessEnv): Serving {
  const child = spawn('node', [scriptOf(name), 'serve'], {
    env: { ...ENVIRONMENT, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return {
    child,
    output: outputOf(child, name),
    call: () => Promise.reject(new Error('its address is not known')),
    async stop() {
      child.kill('SIGKILL');
      await ended(child);
    },
  };
}

it.each<[ProgramName, () => NodeJS.ProcessEnv]>([
  [
    'server',
    () => {
      const key = randomBytes(32).toString('base64');
      plant('key-encryption key', key);
      return {
        CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
        CALLPASS_STORE_URL: `sqlite:${join(folder, 'own.db')}`,
        CALLPASS_KEY_ENCRYPTION_KEY: key,
        CALLPASS_TELEMETRY_ADDRESS: '127.0.0.1:0',
      };
    },
  ],
  [
    'edge',
    () => ({
      CALLPASS_EDGE_LISTEN_ADDRESS: '127.0.0.1:0',
      CALLPASS_EDGE_SERVICE_ADDRESS: server.address,
      CALLPASS_EDGE_DRAIN_DELAY: '0s',
    }),
  ],
])('the %s drains at a SIGTERM that comes as soon as it says that it serves', async (name, environment) => {
  serving = spawnProgram(name, environment());
  await logged('"msg":"serving"');
  serving.child.kill('SIGTERM');
  expect(await ended(serving.child)).toEqual({ code: 0, signal: null });
  await logged('"msg":"stopped"');
});
