import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

let folder: string;
let settings: string;
let child: ChildProcess;
let output: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-signals-'));
  settings = join(folder, 'settings.yaml');
});
afterEach(() => {
  child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const setLevel = (level: string) => writeFileSync(settings, `log: { level: ${level} }\n`);

async function serve(): Promise<void> {
  const main = join(import.meta.dirname, 'main.ts');
  child = spawn(process.execPath, ['--conditions=@callpass/source', main, 'serve', '--settings', settings], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
      CALLPASS_STORE_URL: `sqlite:${join(folder, 'store.db')}`,
      CALLPASS_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      CALLPASS_ACCESS_LOCAL: 'everything',
    },
  });
  output = '';
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'message');
}

/** Resolves when the log says this. */
async function logged(text: string): Promise<void> {
  while (!output.includes(text)) await once(child.stderr as NodeJS.ReadableStream, 'data');
}

describe('a serving process', () => {
  it('reads the log level again at SIGHUP, and says where there is nothing to do', async () => {
    setLevel('info');
    await serve();
    child.kill('SIGHUP');
    await logged('SIGHUP: nothing to do');
    child.kill('SIGUSR2');
    await logged('SIGUSR2: nothing to do');
    setLevel('debug');
    child.kill('SIGHUP');
    await logged('"before":"info","level":"debug","msg":"SIGHUP: the log level has changed"');
    setLevel('nonsense');
    child.kill('SIGHUP');
    await logged('the log level stays');
  }, 60_000);

  it('drains at SIGQUIT', async () => {
    setLevel('info');
    await serve();
    const exit = once(child, 'exit');
    child.kill('SIGQUIT');
    expect(await exit).toEqual([0, null]);
    await logged('"msg":"stopped"');
    expect(output).toContain('"msg":"draining"');
  }, 60_000);
});
