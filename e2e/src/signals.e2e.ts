import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { createCredentialClient } from '@callpass/client';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { plantTokensIn } from './canary/keep.ts';
import { startEdgeProcess } from './edge-process.ts';
import { ended, startServerProcess, type ServerProcess } from './processes.ts';
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
