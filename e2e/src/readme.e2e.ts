import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@callpass/testkit/free-port';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { plant, plantTokensIn } from './canary/keep.ts';
import { blocksOf } from './documented-commands.ts';
import { ended, ENVIRONMENT, outputOf, ROOT } from './processes.ts';

let folder: string;
let server: ChildProcess | undefined;
let closed: Promise<unknown>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-readme-'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(async () => {
  if (server?.pid !== undefined && server.exitCode === null && server.signalCode === null) {
    process.kill(-server.pid, 'SIGTERM');
    // The shell ends before its server, which writes until then.
    await closed;
  }
  rmSync(folder, { recursive: true });
});

/** Runs commands in the folder as a shell does that stops at the first that fails. */
const shell = (commands: string, env: NodeJS.ProcessEnv) =>
  spawn('sh', ['-euc', commands], {
    cwd: folder,
    env: { ...ENVIRONMENT, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });

it('README "Run it": a stranger who types it line by line has a credential that is valid', async () => {
  const blocks = blocksOf('README.md', 'Run it');
  for (const { text } of blocks.filter(({ language }) => language === 'yaml')) {
    const [, name = ''] = /^# (\S+\.yaml):/.exec(text) ?? [];
    writeFileSync(join(folder, name), text);
  }
  const [first, second] = blocks.filter(({ language }) => language === 'sh');
  const port = await freePort();
  server = shell(first?.text ?? '', { CALLPASS_LISTEN_ADDRESS: `127.0.0.1:${port}` });
  closed = once(server, 'close');
  const serverOutput = outputOf(server, 'readme-server');
  await new Promise<void>((resolve, reject) => {
    server?.stderr?.on('data', () => {
      if (serverOutput().includes('"msg":"serving"')) resolve();
    });
    server?.stdout?.on('data', () => {
      if (serverOutput().includes('"msg":"serving"')) resolve();
    });
    server?.once('exit', () => {
      reject(new Error(serverOutput()));
    });
  });
  expect(serverOutput()).toContain('settings.yaml: ok\ncallpass.yaml: ok\n');
  plant('key-encryption key', readFileSync(join(folder, 'certs/key-encryption-key'), 'utf8').trim());

  const client = shell(second?.text ?? '', { CALLPASS_ADDRESS: `127.0.0.1:${port}` });
  let output = '';
  client.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  client.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const { code } = await ended(client);
  plantTokensIn(output);
  const [, key = ''] = /^key: (\S+)$/m.exec(output) ?? [];
  plant('realm key', key);
  expect(key).not.toBe('');
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('VALID') });
  expect(output).toContain('revision 1 is in force');
  expect(output).toMatch(/renewed .*service\.crt/);
}, 120_000);
