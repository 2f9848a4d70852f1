import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { duration, flag, hostAndPort, sectionList, textList } from './fields.ts';
import { loadSettings, SettingsError } from './load.ts';

const schema = z.strictObject({
  listen: z.strictObject({ address: hostAndPort.default('127.0.0.1:50051') }).prefault({}),
  store: z
    .strictObject({ pollInterval: duration({ minMs: 50, maxMs: 2000 }).prefault('500ms') })
    .prefault({}),
  drain: z.strictObject({ grace: duration({ minMs: 0, maxMs: 600_000 }).prefault('10s') }).prefault({}),
  origins: textList.prefault([]),
  issuers: sectionList(z.strictObject({ issuer: z.string(), algorithms: textList.prefault([]) })).prefault(
    [],
  ),
  reflection: flag.default(true),
  log: z.strictObject({ level: z.enum(['info', 'warn']).default('info') }).prefault({}),
});

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-settings-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function file(text: string): string {
  const name = join(folder, 'settings.yaml');
  writeFileSync(name, text);
  return name;
}

const load = (text: string, environment = {}) =>
  loadSettings({ schema, prefix: 'CALLPASS', file: file(text), environment });
const fromEnvironment = (environment: Record<string, string>) =>
  loadSettings({ schema, prefix: 'CALLPASS', environment });

describe('loadSettings', () => {
  it('gives the defaults without a file', () => {
    const settings = fromEnvironment({});
    expect(settings.listen.address).toBe('127.0.0.1:50051');
    expect(settings.store.pollInterval).toBe(500);
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it('reads the file, and lets the environment win', () => {
    const text = 'listen: { address: "127.0.0.1:1" }\ndrain: { grace: 2s }\nreflection: true\n';
    const settings = load(text, { CALLPASS_LISTEN_ADDRESS: '127.0.0.1:2', CALLPASS_REFLECTION: 'false' });
    expect(settings.listen.address).toBe('127.0.0.1:2');
    expect(settings.drain.grace).toBe(2000);
    expect(settings.reflection).toBe(false);
  });

  it('takes a list of sections from the file, or as YAML or JSON from its variable', () => {
    expect(load('issuers:\n  - issuer: a\n    algorithms: [x]\n').issuers).toEqual([
      { issuer: 'a', algorithms: ['x'] },
    ]);
    for (const text of ['[{"issuer":"b"}]', '- issuer: b'])
      expect(fromEnvironment({ CALLPASS_ISSUERS: text }).issuers).toEqual([{ issuer: 'b', algorithms: [] }]);
  });

  it('says where a list of sections is wrong', () => {
    expect(() => load('issuers:\n  - issuer: a\n  - issuer: 7\n')).toThrow(/issuers\.1\.issuer .*line 3/);
    expect(() => load('issuers:\n  - { issuer: a, isuer: b }\n')).toThrow(
      /unknown setting issuers\.0\.isuer/,
    );
    for (const text of ['canary', '[{"issuer": canary', '{"issuer": "canary"}']) {
      const start = () => fromEnvironment({ CALLPASS_ISSUERS: text });
      expect(start).toThrow(/issuers.* \(CALLPASS_ISSUERS\)/);
      expect(start).not.toThrow(/canary/);
    }
  });

  it('does not keep a variable from one call in the next', () => {
    fromEnvironment({ CALLPASS_LISTEN_ADDRESS: '127.0.0.1:2' });
    expect(fromEnvironment({}).listen.address).toBe('127.0.0.1:50051');
  });

  it.each([
    ['an unknown key', 'log:\n  levle: info\n', /unknown setting log\.levle .*line 2/],
    ['an unknown key at the top', 'lissen: {}\n', /unknown setting lissen .*line 1/],
    ['a wrong value', 'drain:\n  grace: soon\n', /drain\.grace .*line 2.*length of time/],
    ['a value out of bounds', 'store:\n  pollInterval: 1h\n', /store\.pollInterval .*line 2/],
    ['an address without a port', 'listen:\n  address: localhost\n', /listen\.address .*line 2.*host:port/],
    ['a double key', 'log: {}\nlog: {}\n', /line 2/],
    ['a list', '- 1\n', /expected keys and values/],
  ])('refuses %s and says where', (_, text, message) => {
    expect(() => load(text)).toThrow(SettingsError);
    expect(() => load(text)).toThrow(message);
  });

  it('refuses a key of a former version, and says the one it is now', () => {
    const former = { keys: { website: 'origins' } };
    const source = { schema, prefix: 'CALLPASS', environment: {}, former };
    expect(() => loadSettings({ ...source, file: file('log: {}\nwebsite: [a]\n') })).toThrow(
      /^website is now origins: rename the key .*line 2/,
    );
  });

  it('refuses variables of a former version, and says the ones they are now', () => {
    const former = { prefix: 'OLD', keys: { shutdown: 'drain', 'store.every': 'store.pollInterval' } };
    const environment = {
      OLD_REFLECTION: 'canary',
      OLD_SHUTDOWN_GRACE: 'canary',
      CALLPASS_SHUTDOWN_GRACE: 'canary',
      CALLPASS_STORE_EVERY: 'canary',
      OLD_SERVICE_HOST: 'of something else',
    };
    expect(() => loadSettings({ schema, prefix: 'CALLPASS', environment, former })).toThrow(
      new SettingsError([
        'CALLPASS_STORE_EVERY is now CALLPASS_STORE_POLL_INTERVAL: rename the variable',
        'CALLPASS_SHUTDOWN_GRACE is now CALLPASS_DRAIN_GRACE: rename the variable',
        'OLD_SHUTDOWN_GRACE is now CALLPASS_DRAIN_GRACE: rename the variable',
        'OLD_REFLECTION is now CALLPASS_REFLECTION: rename the variable',
      ]),
    );
  });

  it('names the variable that holds a wrong value, and never the value', () => {
    const environment = { CALLPASS_DRAIN_GRACE: 'canary-value' };
    expect(() => fromEnvironment(environment)).toThrow(/CALLPASS_DRAIN_GRACE/);
    expect(() => fromEnvironment(environment)).not.toThrow(/canary-value/);
  });

  it('reports every problem, not only the first', () => {
    expect(() => load('a: 1\nb: 2\n')).toThrow(/unknown setting a[^]*unknown setting b/);
  });

  it('refuses a file that cannot be read', () => {
    expect(() =>
      loadSettings({ schema, prefix: 'CALLPASS', file: join(folder, 'nowhere.yaml'), environment: {} }),
    ).toThrow(/there is no such file/);
  });

  it('reads a list from a variable, parted by commas', () => {
    expect(fromEnvironment({ CALLPASS_ORIGINS: 'https://a.example, https://b.example' }).origins).toEqual([
      'https://a.example',
      'https://b.example',
    ]);
  });
});
