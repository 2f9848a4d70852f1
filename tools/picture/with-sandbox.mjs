// The sandbox for as long as a picture is taken of it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ENV, ROOT } from '../launch/prepare.mjs';

/**
 * Starts the sandbox, gives the work what its ready file says and what it has printed, and ends it.
 *
 * @param env variables besides those of all launchers.
 */
export async function withSandbox(work, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-picture-'));
  const readyFile = join(folder, 'ready.json');
  const sandbox = spawn('npm', ['start', '--silent', '--', '--ready-file', readyFile, '--ports', 'auto'], {
    cwd: ROOT,
    env: { ...ENV, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  sandbox.stdout.on('data', (chunk) => (printed += chunk));
  try {
    while (!existsSync(readyFile) || !printed.includes('Ctrl-C')) {
      if (sandbox.exitCode !== null) throw new Error('npm start ended');
      await pause(100);
    }
    return await work(JSON.parse(readFileSync(readyFile, 'utf8')), printed);
  } finally {
    if (sandbox.exitCode === null) {
      sandbox.kill('SIGTERM');
      await once(sandbox, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  }
}
