import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ended, startServerProcess, type ServerProcess } from './processes.ts';

let folder: string;
let settings: string;
let server: ServerProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-signals-'));
  settings = join(folder, 'settings.yaml');
  setLevel('info');
  server = await startServerProcess({}, ['--settings', settings]);
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const setLevel = (level: string) => writeFileSync(settings, `log: { level: ${level} }\n`);

/** Resolves when the log says this. */
async function logged(text: string): Promise<void> {
  while (!server.output().includes(text)) await once(server.child.stderr as NodeJS.ReadableStream, 'data');
}

describe('a serving process', () => {
  it('reads the log level again at SIGHUP, and says where there is nothing to do', async () => {
    server.child.kill('SIGHUP');
    await logged('SIGHUP: nothing to do');
    server.child.kill('SIGUSR2');
    await logged('SIGUSR2: nothing to do');
    setLevel('debug');
    server.child.kill('SIGHUP');
    await logged('"before":"info","level":"debug","msg":"SIGHUP: the log level has changed"');
    setLevel('nonsense');
    server.child.kill('SIGHUP');
    await logged('the log level stays');
  });

  it('drains at SIGQUIT', async () => {
    server.child.kill('SIGQUIT');
    expect(await ended(server.child)).toEqual({ code: 0, signal: null });
    await logged('"msg":"stopped"');
    expect(server.output()).toContain('"msg":"draining"');
  });
});
