import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '@callpass/testkit/free-port';
import { scriptOf } from '@callpass/testkit/programs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { plant } from './canary/keep.ts';
import { blocksOf } from './documented-commands.ts';
import { ended, ENVIRONMENT, outputOf, ROOT, run } from './processes.ts';

const PAGE = 'docs/operations/run-one-machine.md';
const UPGRADE = 'docs/operations/upgrade.md';

/** Folders of the page, each replaced by one of the test. */
const PLACES = [
  '/opt/callpass',
  '/etc/callpass',
  '/var/lib/callpass',
  '/var/backups',
  '/usr/local/bin',
  '/etc/systemd/system',
];

describe('run-one-machine.md', () => {
  const [install, byHand] = blocksOf(PAGE, '').filter(({ language }) => language === 'sh');
  let folder: string;
  let port: number;
  let environment: NodeJS.ProcessEnv;
  let service: ChildProcess | undefined;

  /** The same text with the folders and ports of the test. */
  const placed = (text: string) =>
    PLACES.reduce((before, place) => before.replaceAll(place, join(folder, place)), text)
      .replaceAll('0.0.0.0:50051', `127.0.0.1:${port}`)
      .replaceAll(':50051', `:${port}`)
      .replaceAll('127.0.0.1:9464', '127.0.0.1:0');

  const shell = (commands: string) =>
    run('sh', ['-euc', `cd ${join(folder, 'repository')}\n${placed(commands)}`], { env: environment });

  /** Starts the service as its unit says, waits until it serves, and gives what it has written. */
  async function startService(): Promise<() => string> {
    const unit = readFileSync(join(folder, 'etc/systemd/system/callpass-server.service'), 'utf8');
    const [, start = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
    const given = [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
    const started = spawn('sh', ['-c', `exec ${start}`], {
      cwd: join(folder, 'var/lib/callpass'),
      env: { ...Object.fromEntries(given), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    service = started;
    const output = outputOf(started, 'one-machine');
    await new Promise<void>((resolve, reject) => {
      for (const stream of [started.stdout, started.stderr])
        stream.on('data', () => {
          if (output().includes('"msg":"serving"')) resolve();
        });
      started.once('exit', () => {
        reject(new Error(output()));
      });
    });
    return output;
  }

  async function stopService(): Promise<void> {
    service?.kill('SIGTERM');
    if (service) await ended(service);
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'callpass-machine-'));
    port = await freePort();
    const repository = join(folder, 'repository');
    for (const place of PLACES.filter((name) => name !== '/etc/callpass'))
      mkdirSync(join(folder, place), { recursive: true });
    cpSync(join(ROOT, 'deploy/systemd'), join(repository, 'deploy/systemd'), { recursive: true });
    for (const file of readdirSync(join(repository, 'deploy/systemd'))) {
      const path = join(repository, 'deploy/systemd', file);
      writeFileSync(path, placed(readFileSync(path, 'utf8')));
    }
    symlinkSync(join(ROOT, 'deploy/docker'), join(repository, 'deploy/docker'));
    symlinkSync(join(ROOT, 'node_modules'), join(repository, 'node_modules'));
    // Done before: packages are installed and built, and the machine of the test gets no user and no unit.
    const stubs = join(folder, 'stubs');
    mkdirSync(stubs);
    for (const name of ['npm', 'npx', 'useradd', 'systemctl'])
      writeFileSync(join(stubs, name), `#!/bin/sh\necho "$0 $*" >>${join(folder, 'stubs.log')}\n`, {
        mode: 0o755,
      });
    writeFileSync(
      join(stubs, 'install'),
      `#!/bin/sh\nn=$#; while [ $n -gt 0 ]; do n=$((n-1)); a=$1; shift; if [ "$a" = -g ]; then shift; n=$((n-1)); else set -- "$@" "$a"; fi; done\nexec /usr/bin/install "$@"\n`,
      { mode: 0o755 },
    );
    const path = [stubs, join(folder, 'usr/local/bin'), ENVIRONMENT['PATH']].join(delimiter);
    // The default place of the settings, moved like every other.
    environment = { PATH: path, CALLPASS_SETTINGS: join(folder, 'etc/callpass/settings.yaml') };
    execFileSync('node', [scriptOf('cli'), 'dev-certs', '--out', join(repository, 'certs')], {
      env: ENVIRONMENT,
      stdio: 'ignore',
    });
  });
  afterAll(async () => {
    await stopService();
    rmSync(folder, { recursive: true });
  });

  it('sets up a service in which the doctor misses nothing but a configuration, command by command', async () => {
    const [before = '', after = ''] =
      install?.text.split(/(?<=systemctl enable --now callpass-server\n)/) ?? [];
    const installed = await shell(before);
    expect(installed).toMatchObject({ code: 0, stdout: expect.stringContaining('settings.yaml: ok') });
    const key = readFileSync(join(folder, 'etc/callpass/key-encryption-key'), 'utf8').trim();
    plant('key-encryption key', key);

    const output = await startService();
    expect(output()).toContain('a new, empty one was made');
    const { stdout } = await shell(`${after.trim()} --output json || true`);
    const { findings } = JSON.parse(stdout) as { findings: { check: string; state: string }[] };
    expect(findings.filter(({ state }) => state === 'problem')).toEqual([
      expect.objectContaining({ check: 'configuration' }),
    ]);
  }, 60_000);

  it('leads commands by hand to the store of the service, from any folder, and none makes another', async () => {
    expect(await shell(byHand?.text ?? '')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('up to date'),
    });
    const backups = readdirSync(join(folder, 'var/backups'));
    expect(backups).toEqual([expect.stringMatching(/^callpass-\d{8}T\d{6}Z\.db$/)]);
    expect(existsSync(join(folder, 'repository/callpass.db'))).toBe(false);
  }, 60_000);

  it('upgrades it as upgrade.md says: files, Node, scripts and unit are those of the new version, and the store is the same', async () => {
    const [upgrade] = blocksOf(UPGRADE, 'One machine');
    const [before = '', after = ''] = upgrade?.text.split(/(?<=systemctl stop callpass-server\n)/) ?? [];
    expect(await shell(before)).toMatchObject({ code: 0 });
    await stopService();
    const ofFormerVersion = ['opt/callpass/server/former.js', 'opt/callpass/cli/former.js'];
    const replaced = [
      'opt/callpass/node',
      'usr/local/bin/callpass-server',
      'usr/local/bin/callpass',
      'etc/systemd/system/callpass-server.service',
    ].map((file) => join(folder, file));
    const installed = replaced.map((file) => readFileSync(file));
    for (const file of [...ofFormerVersion.map((name) => join(folder, name)), ...replaced])
      writeFileSync(file, 'former');

    expect(await shell(after)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('settings.yaml: ok'),
    });
    expect(ofFormerVersion.filter((name) => existsSync(join(folder, name)))).toEqual([]);
    expect(replaced.filter((file, at) => !readFileSync(file).equals(installed[at] as Buffer))).toEqual([]);
    expect((await startService())()).not.toContain('a new, empty one was made');
  }, 60_000);
});
