import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DOCUMENT_FAULTS, GOOD_DOCUMENT } from '@callpass/testkit/document-faults';
import { runCommandLine } from '@callpass/testkit/run-command-line';
import { processorMs, YAML_BOMB_MS, YAML_BOMBS } from '@callpass/testkit/yaml-bombs';
import { createProgram } from './program.ts';
import { DOCUMENT } from './testing/test-server.ts';

/** The compiled code that Node keeps halves the time of a start. */
const { PATH, NODE_COMPILE_CACHE } = process.env;

/** A program before the program: writes the packages of others that its main thread loads to a file. */
const listsModules = (list: string) => `
  import { appendFileSync } from 'node:fs';
  import { registerHooks } from 'node:module';
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) registerHooks({
    load(url, context, next) {
      const name = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1];
      if (name !== undefined) appendFileSync(${JSON.stringify(list)}, name + '\\n');
      return next(url, context);
    },
  });
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-program-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const run = (args: readonly string[], environment: Record<string, string> = {}) =>
  runCommandLine(createProgram, args, environment);

const PROGRAM = ['--conditions=@callpass/source', join(import.meta.dirname, 'main.ts')];

/** Runs the program as a process, as an operator does. */
function runProcess(args: readonly string[], stdout: 'pipe' | number, env: Record<string, string> = {}) {
  const { status, stderr } = spawnSync(process.execPath, [...PROGRAM, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', stdout, 'pipe'],
    env: { PATH, NODE_COMPILE_CACHE, ...env },
  });
  return { code: status, stderr };
}

const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const key = () => randomBytes(32).toString('base64');

describe('callpass-server', () => {
  it('check-config: says that settings and document hold', async () => {
    const document = file('good.yaml', DOCUMENT);
    const settings = file('settings.yaml', 'reflection: false\n');
    const env = { CALLPASS_KEY_ENCRYPTION_KEY: key() };
    const outcome = await run(['check-config', '--settings', settings, document], env);
    expect(outcome).toMatchObject({ code: 0, stdout: `${settings}: ok\n${document}: ok\n` });
    const named = await run(['check-config'], { ...env, CALLPASS_SETTINGS: settings });
    expect(named.stdout).toBe(`${settings}: ok\n`);
    const none = await run(['check-config'], { ...env, CALLPASS_SETTINGS: '' });
    expect(none.stdout).toMatch(/^settings without a file .*: ok\n$/);
    expect(outcome.stderr).toContain('warning: destination "lobby": calls are unrestricted');
  });

  it('check-config: names certificates and keys that would stop the start', async () => {
    const nonsense = file('nonsense.pem', 'canary');
    const tls = { CALLPASS_TLS_CERT_FILE: nonsense, CALLPASS_TLS_KEY_FILE: nonsense };
    const jwt = JSON.stringify([{ issuer: 'https://i.example', audience: 'a', jwksFile: nonsense }]);
    for (const wrong of [tls, { CALLPASS_IDENTITY_JWT: jwt }]) {
      const outcome = await run(['check-config'], { CALLPASS_KEY_ENCRYPTION_KEY: key(), ...wrong });
      expect(outcome.code).toBe(2);
      expect(outcome.stderr).toContain(nonsense);
      expect(outcome.stderr).not.toContain('canary');
    }
  });

  it('check-config: names the line of each problem', async () => {
    const document = file('bad.yaml', 'realms:\n  - name: r\n    cipher: DES\ndestinations:\n  - idd: x\n');
    const { code, stderr } = await run(['check-config', document], { CALLPASS_KEY_ENCRYPTION_KEY: key() });
    expect(code).toBe(2);
    expect(stderr).toContain(`${document}:3:13: realms[0].cipher: expected one of AES_128_ECB`);
    expect(stderr).toContain(`${document}:5:5: destinations[0]: unknown key "idd"`);
    const dangling = file('dangling.yaml', DOCUMENT.replace('realm: cbc.example', 'realm: gone.example'));
    const cut = await run(['check-config', dangling], { CALLPASS_KEY_ENCRYPTION_KEY: key() });
    expect(cut.stderr).toMatch(/dangling\.yaml:9:\d+: destinations\[1\]\.realm/);
  });

  it('check-config: refuses a document that would remove everything, unless it is {}', async () => {
    const settings = { CALLPASS_KEY_ENCRYPTION_KEY: key() };
    const document = file('comments.yaml', '# realms:\n#   - name: r\n');
    const { code, stderr } = await run(['check-config', document], settings);
    expect(code).toBe(2);
    expect(stderr).toContain(`${document}:1:1: the document is empty`);
    expect(stderr).toContain('write {} if that is meant');
    expect(await run(['check-config', file('braces.yaml', '{}\n')], settings)).toMatchObject({ code: 0 });
  });

  it('check-config: names line and field of each control character and fraction of a second', async () => {
    const env = { CALLPASS_KEY_ENCRYPTION_KEY: key() };
    expect((await run(['check-config', file('good.yaml', GOOD_DOCUMENT)], env)).code).toBe(0);
    for (const { name, text, line, field } of DOCUMENT_FAULTS) {
      const { code, stderr } = await run(['check-config', file('fault.yaml', text)], env);
      expect([name, code, stderr.split('fault.yaml:')[1]]).toEqual([
        name,
        2,
        expect.stringMatching(new RegExp(`^${line}:\\d+: ${field.replaceAll(/[[\].]/g, '\\$&')}: must .+\n`)),
      ]);
    }
  });

  it.each(YAML_BOMBS)('check-config: refuses soon, with its line: %s', async (_name, text) => {
    const document = file('bomb.yaml', text);
    let outcome = { code: 0, stderr: '' };
    const check = async () =>
      (outcome = await run(['check-config', document], { CALLPASS_KEY_ENCRYPTION_KEY: key() }));
    expect(await processorMs(check)).toBeLessThan(YAML_BOMB_MS);
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toMatch(/^\S*bomb\.yaml:\d+:\d+: ./);
    expect(outcome.stderr.split('\n').length).toBeLessThanOrEqual(1001);
  });

  it.each([
    [['nonsense'], "callpass-server: unknown command 'nonsense'\n(--help says what is possible)\n"],
    [
      ['reseal'],
      "callpass-server: required option '--new-key-file <file>' not specified\n(--help says what is possible)\n",
    ],
    [
      ['check-config', '/nonexistent/c.yaml'],
      'callpass-server: cannot read /nonexistent/c.yaml: there is no such file or folder; check the path\n',
    ],
  ])('%j ends with 2 and says what to do next', async (args, text) => {
    const { code, stderr } = await run(args, { CALLPASS_KEY_ENCRYPTION_KEY: key() });
    expect([code, stderr]).toEqual([2, text]);
  });

  it('check-config: says what is wrong with the URL of a database, and not the password in it', async () => {
    for (const url of ['postgres://u:canary@db.example:x/d', 'postgres://u:canary/1@db.example/d']) {
      const env = { CALLPASS_KEY_ENCRYPTION_KEY: key(), CALLPASS_STORE_URL: url };
      const { code, stderr } = await run(['check-config'], env);
      expect(code).toBe(2);
      expect(stderr).toBe(
        'callpass-server: store.url (CALLPASS_STORE_URL): is not a URL; special characters of a password are written as %XX\n',
      );
    }
  });

  it('ends as a process with 4 where its answer cannot be written', () => {
    const full = openSync('/dev/full', 'w');
    for (const args of [['--help'], ['check-config']]) {
      const { code, stderr } = runProcess(args, full, { CALLPASS_KEY_ENCRYPTION_KEY: key() });
      expect(stderr).toMatch(/^callpass-server: standard output could not be written: ENOSPC/);
      expect(code).toBe(4);
    }
    closeSync(full);
  });

  it('serves without what only some settings need, or only the thread of the store: else each start and each server pays for it', async () => {
    const list = join(folder, 'loaded.txt');
    const child = spawn(process.execPath, [...PROGRAM, 'serve'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...{ PATH, NODE_COMPILE_CACHE, NODE_OPTIONS: `--import=${file('loaded.mjs', listsModules(list))}` },
        CALLPASS_STORE_URL: `sqlite:${join(folder, 'loaded.db')}`,
        CALLPASS_KEY_ENCRYPTION_KEY: key(),
        CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
        CALLPASS_ACCESS_LOCAL: 'everything',
      },
    });
    let output = '';
    const closed = once(child, 'close');
    await new Promise<void>((resolve) => {
      child.once('close', resolve);
      child.stderr.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('"serving"')) resolve();
      });
    });
    child.kill('SIGKILL');
    await closed;
    expect(output).toContain('"serving"');
    const packages = readFileSync(list, 'utf8').split('\n');
    expect(packages).toContain('better-sqlite3');
    for (const name of ['kysely', 'pg', 'jose', 'ioredis']) expect(packages).not.toContain(name);
  });

  it('ends as a process with 2 for settings that do not hold, and names them, and for wrong use', () => {
    const settings = file('settings.yaml', 'listen:\n  adress: x\n');
    const { code, stderr } = runProcess(['serve', '--settings', settings], 'pipe');
    expect(code).toBe(2);
    expect(stderr).toMatch(/unknown setting listen\.adress .*line 2/);
    expect(runProcess(['nonsense'], 'pipe').code).toBe(2);
  });

  it('migrate makes a store only when that is said, and names the place', async () => {
    const place = join(folder, 'elsewhere.db');
    const env = { CALLPASS_STORE_URL: `sqlite:${place}`, CALLPASS_KEY_ENCRYPTION_KEY: key() };
    const refused = await run(['migrate'], env);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(
      `there is no store at ${place}; to make a new, empty one, give --create`,
    );
    for (const command of [
      ['backup', '--to', join(folder, 'copy.db')],
      ['reseal', '--new-key-file', file('k', key())],
    ]) {
      const { code, stderr } = await run(command, env);
      expect(code).toBe(1);
      expect(stderr).toBe(
        `callpass-server: there is no store at ${place}; correct store.url, or run callpass-server migrate\n`,
      );
    }
    expect(existsSync(place)).toBe(false);
    expect((await run(['migrate', '--create'], env)).stdout).toMatch(`new store: ${place}\nmigrated: 0001`);
    expect((await run(['migrate', '--create'], env)).stdout).toBe('up to date\n');
  });

  it('a backup needs no key', async () => {
    const env = { CALLPASS_STORE_URL: `sqlite:${join(folder, 'keyless.db')}` };
    await run(['migrate', '--create'], { ...env, CALLPASS_KEY_ENCRYPTION_KEY: key() });
    expect(await run(['backup', '--to', join(folder, 'keyless-copy.db')], env)).toMatchObject({ code: 0 });
  });

  it('migrate makes the store, and reseal moves it to another key-encryption key', async () => {
    const [oldKey, newKey] = [key(), key()];
    const store = { CALLPASS_STORE_URL: `sqlite:${join(folder, 'store.db')}` };
    const withOld = { ...store, CALLPASS_KEY_ENCRYPTION_KEY: oldKey };
    expect(await run(['migrate', '--create'], withOld)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('migrated: 0001'),
    });
    expect(await run(['migrate'], withOld)).toMatchObject({ code: 0, stdout: 'up to date\n' });
    const newKeyFile = file('new-key', newKey);
    expect(await run(['reseal', '--new-key-file', newKeyFile], withOld)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^resealed: \d+ values/),
    });
    const again = await run(['reseal', '--new-key-file', newKeyFile], withOld);
    expect(again.code).toBe(1);
    expect(again.stderr).not.toContain(oldKey);
    expect(await run(['migrate'], { ...store, CALLPASS_KEY_ENCRYPTION_KEY: newKey })).toMatchObject({
      code: 0,
    });
    expect(await run(['migrate'], withOld)).toMatchObject({ code: 1 });
  });
});
