import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { Cipher, ConfigurationSchema } from '@callpass/contract';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { migrateStore, openStore } from '@callpass/storage';
import { sampleEntry } from '@callpass/testkit';
import { createAuthority } from '@callpass/dev-certificates';
import { printFindings } from '@callpass/program';
import { checkCertificates } from './check-certificate.ts';
import { ownRedisServer, redisIsInstalled } from '@callpass/testkit/redis-server';
import { checkLimiter } from './check-limiter.ts';
import { checkDisk } from './check-place.ts';
import { examine } from './doctor.ts';

const DAY_MS = 86_400_000;

describe('the doctor', () => {
  let folder: string;
  let keyFile: string;
  let environment: Record<string, string>;
  const sealKey = randomBytes(32);
  const nowMs = Date.now();
  const states = async (at = nowMs) =>
    Object.fromEntries(
      (await examine({ environment, nowMs: at })).map((found) => [found.check, found.state] as const),
    );

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'callpass-doctor-'));
    keyFile = join(folder, 'key');
    writeFileSync(keyFile, sealKey.toString('base64'), { mode: 0o600 });
    environment = {
      CALLPASS_STORE_URL: `sqlite:${join(folder, 'callpass.db')}`,
      CALLPASS_KEY_ENCRYPTION_KEY_FILE: keyFile,
    };
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** A store with realm `r`, whose first key was activated at a time, and one entry of another. */
  async function makeStore(times: { activated?: number; entry?: number }): Promise<void> {
    const url = environment['CALLPASS_STORE_URL'] as string;
    await migrateStore({ url, sealKey });
    const store = await openStore({ url, sealKey });
    const entry = sampleEntry({ timeMs: times.entry ?? nowMs });
    const document = toBinary(
      ConfigurationSchema,
      create(ConfigurationSchema, {
        realms: [{ name: 'r', cipher: Cipher.AES_128_ECB, tokenLifetime: { seconds: 60n } }],
      }),
    );
    await store.record(entry, {
      change: {
        kind: 'applyConfiguration',
        document,
        expectedRevision: 0,
        applyTimeMs: nowMs,
        appliedBy: 'x',
      },
    });
    if (times.activated !== undefined) {
      const key = { realm: 'r', version: 1 };
      await store.record(entry, {
        change: {
          kind: 'addKey',
          ...key,
          keyText: randomBytes(16),
          fingerprint: '0123456789abcdef',
          createTimeMs: times.activated,
        },
      });
      const move = { ...key, from: 'PENDING', to: 'ACTIVE', timeMs: times.activated } as const;
      await store.record(entry, { change: { kind: 'moveKeys', moves: [move] } });
    }
    await store.close();
  }

  it('finds nothing wrong where the server would serve', async () => {
    await makeStore({ activated: nowMs });
    expect(await states()).toEqual({
      settings: 'ok',
      ledger: 'ok',
      certificate: 'ok',
      'key-encryption key': 'ok',
      limiter: 'ok',
      disk: expect.stringMatching(/ok|warning/),
      store: 'ok',
      keys: 'ok',
      clock: 'ok',
    });
  });

  it('says to migrate where there is no store yet', async () => {
    const findings = await examine({ environment, nowMs });
    expect(findings.find(({ check }) => check === 'store')).toMatchObject({
      state: 'problem',
      advice: expect.stringContaining('callpass-server migrate'),
    });
  });

  it('sees a realm without a key and a key that is overdue', async () => {
    await makeStore({});
    expect(await states()).toMatchObject({ keys: 'problem' });
    rmStore();
    await makeStore({ activated: nowMs - 366 * DAY_MS });
    expect(await states()).toMatchObject({ keys: 'warning' });
  });

  it('sees a clock that is behind the ledger', async () => {
    await makeStore({ activated: nowMs, entry: nowMs });
    expect(await states(nowMs - DAY_MS)).toMatchObject({ clock: 'problem' });
  });

  it('sees a key-encryption key that is not the one of the store, or that everybody can read', async () => {
    await makeStore({ activated: nowMs });
    chmodSync(keyFile, 0o644);
    expect(await states()).toMatchObject({ 'key-encryption key': 'warning', store: 'ok' });
    writeFileSync(keyFile, randomBytes(32).toString('base64'));
    expect(await states()).toMatchObject({ store: 'problem' });
    rmSync(keyFile);
    expect(await states()).toMatchObject({ 'key-encryption key': 'problem', store: 'skipped' });
  });

  it('names each setting that is wrong and looks no further', async () => {
    environment['CALLPASS_LISTEN_ADDRESS'] = 'nowhere';
    expect(await states()).toEqual({ settings: 'problem' });
    environment['CALLPASS_LISTEN_ADDRESS'] = '192.0.2.1:1';
    expect(await states()).toMatchObject({ settings: 'problem' });
  });

  it('sees a certificate that cannot be used', async () => {
    const authority = await createAuthority();
    const names = ['callpass.example'];
    const leaf = await authority.issue({ use: 'server', names });
    const other = await authority.issue({ use: 'server', names });
    const unnamed = await authority.issue({ use: 'server', commonName: 'callpass.example' });
    const [certFile, keyFile, caFile] = [join(folder, 'cert'), join(folder, 'cert-key'), join(folder, 'ca')];
    const settings = {
      tls: { certFile, keyFile, clientCaFile: caFile, clientCertificates: 'optional' },
    } as const;
    const seen = (files: { cert: string; key: string; ca?: string }, at = nowMs) => {
      writeFileSync(certFile, files.cert);
      writeFileSync(keyFile, files.key);
      writeFileSync(caFile, files.ca ?? authority.cert);
      return checkCertificates(settings, at).map(({ state }) => state);
    };
    expect(seen(leaf)).toEqual(['ok', 'ok']);
    expect(seen(leaf, nowMs + 20 * DAY_MS)).toEqual(['warning', 'warning']);
    expect(seen(leaf, nowMs + 31 * DAY_MS)).toEqual(['problem', 'problem']);
    expect(seen(leaf, nowMs - DAY_MS)).toEqual(['problem', 'problem']);
    expect(seen({ ...leaf, key: other.key })).toEqual(['problem', 'ok']);
    expect(seen(unnamed)).toEqual(['problem', 'ok']);
    expect(seen({ cert: 'none', key: 'none', ca: 'none' })).toEqual(['problem', 'problem']);
  });

  it('sees a disk that is nearly full', () => {
    const store = { url: 'sqlite:x' } as never;
    expect(checkDisk({ store }, () => 1e9)).toMatchObject([{ state: 'warning' }]);
    expect(checkDisk({ store }, () => 1e6)).toMatchObject([{ state: 'problem' }]);
    expect(checkDisk({ store: { url: 'postgres://x' } as never }, () => 0)).toEqual([]);
  });

  it('sees a limiter that does not answer', async () => {
    const keyPrefix = '{callpass}:';
    expect(await checkLimiter({ url: 'memory:', keyPrefix })).toMatchObject({ state: 'ok' });
    expect(await checkLimiter({ url: 'redis://127.0.0.1:1', keyPrefix })).toMatchObject({ state: 'problem' });
  });

  it('sees a store of used tokens that does not answer, where Envoy asks', async () => {
    const found = async () =>
      (await examine({ environment, nowMs })).find(({ check }) => check === 'used tokens');
    environment['CALLPASS_AUTHORIZE_SINGLE_USE_URL'] = 'redis://u:s3cret@127.0.0.1:1';
    expect(await found()).toBeUndefined();
    environment['CALLPASS_AUTHORIZE_ENABLED'] = 'true';
    const problem = await found();
    expect(problem).toMatchObject({ state: 'problem', finding: expect.stringContaining('no session') });
    expect(JSON.stringify(problem)).not.toContain('s3cret');
    environment['CALLPASS_AUTHORIZE_SINGLE_USE_URL'] = 'memory:';
    expect(await found()).toMatchObject({ state: 'ok' });
    environment['CALLPASS_AUTHORIZE_SINGLE_USE_URL'] = 'off';
    expect(await found()).toBeUndefined();
  });

  if (redisIsInstalled('what the doctor says of Redis')) {
    it('sees a Redis that may lose the counters of limits, and one that did', async () => {
      const redis = await ownRedisServer();
      const look = () => checkLimiter({ url: redis.url, keyPrefix: '{callpass}:' });
      expect(await look()).toMatchObject({
        state: 'warning',
        finding: expect.stringContaining('appendonly no'),
      });
      await redis.ask('CONFIG SET appendonly yes');
      expect(await look()).toMatchObject({ state: 'ok' });
      Object.assign(environment, {
        CALLPASS_AUTHORIZE_ENABLED: 'true',
        CALLPASS_AUTHORIZE_SINGLE_USE_URL: redis.url,
      });
      expect(await states()).toMatchObject({ 'used tokens': 'ok' });
      await redis.ask('CONFIG SET maxmemory-policy volatile-lru');
      await redis.ask('CONFIG SET maxmemory 100mb');
      expect(await look()).toMatchObject({
        state: 'warning',
        finding: expect.stringContaining('maxmemory-policy volatile-lru'),
      });
      await redis.ask('CONFIG SET maxmemory 0');
      await redis.ask(`HSET {callpass}:generation lost ${nowMs}`);
      expect(await look()).toMatchObject({
        state: 'warning',
        finding: expect.stringContaining(`lost them at ${new Date(nowMs).toISOString()}`),
      });
      await redis.remove();
    });
  }

  if (redisIsInstalled('what the doctor says of a Redis that refuses')) {
    it('says what is wrong with a Redis that refuses, without words of its driver', async () => {
      const redis = await ownRedisServer();
      const look = async (change: (url: URL) => void = () => undefined) => {
        const url = new URL(redis.url);
        change(url);
        const { state, finding } = await checkLimiter({ url: url.href, keyPrefix: '{callpass}:' });
        expect(finding).not.toMatch(
          /canary|AUTH |invalid|closed|retries|connect E|Authentication|permissions/,
        );
        return `${state}: ${finding}`;
      };
      expect(await look((url) => (url.port = '1'))).toMatch(
        /^problem: .*: nothing answers there; .* \[ECONNREFUSED\]$/,
      );
      await redis.ask('ACL SETUSER canary on >right +ping');
      const login = (password: string) => (url: URL) => Object.assign(url, { username: 'canary', password });
      expect(await look(login('wrong'))).toMatch(/^problem: .*user or the password; .* \[WRONGPASS\]$/);
      await redis.ask('CONFIG SET requirepass x');
      expect(await look()).toMatch(/^problem: .*wants a password; .* \[NOAUTH\]$/);
      redis.freeze();
      expect(await look()).toMatch(/^problem: .*; /);
      redis.thaw();
      await redis.remove();
    });
  }

  it('tells no secret', async () => {
    await makeStore({ activated: nowMs });
    environment['CALLPASS_STORE_URL'] = 'postgres://u:s3cret@127.0.0.1:1/x';
    const text = JSON.stringify(await examine({ environment, nowMs }));
    expect(text).toContain('problem');
    expect(text).not.toContain('s3cret');
    expect(text).not.toContain(sealKey.toString('base64'));
  });

  it('prints what to do under what it found', () => {
    const finding = { check: 'store', state: 'problem', finding: 'gone', advice: 'look' } as const;
    expect(printFindings([finding], false)).toBe('problem  store  gone\n                -> look\n');
    expect(printFindings([finding], true)).toContain('\u001b[31m');
  });

  function rmStore(): void {
    for (const end of ['', '-wal', '-shm']) rmSync(join(folder, `callpass.db${end}`), { force: true });
  }
});
