import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '@callpass/dev-certificates';
import { SettingsError } from '@callpass/program/settings';
import { createLog } from '@callpass/program/log';
import { describe, expect, it, jest } from '@jest/globals';
import fastify from 'fastify';
import { loadEdgeSettings } from '../settings/load.ts';
import { openAuthorize } from './open-authorize.ts';
import { checkSettings } from './start-edge.ts';

const ON = {
  CALLPASS_EDGE_AUTHORIZE_REALMS: 'support.example',
  CALLPASS_EDGE_AUTHORIZE_PROXIES: 'loopback',
};
const settingsOf = (environment: Record<string, string>) =>
  loadEdgeSettings({ file: undefined, environment });
const open = (environment: Record<string, string>, secret?: string) =>
  openAuthorize(fastify(), settingsOf(environment), createLog({ level: 'silent' }), secret);

describe('openAuthorize', () => {
  it('is off without realms and proxies', async () => {
    expect(await open({})).toBeUndefined();
    expect(await open(ON)).toMatchObject({
      realms: ['support.example'],
      proxies: ['loopback'],
      callStart: 'body',
    });
  });

  it('uses a token once only where that is asked for', async () => {
    expect((await open(ON))?.singleUse).toBeUndefined();
    const once = await open({ ...ON, CALLPASS_EDGE_AUTHORIZE_SINGLE_USE_URL: 'memory:' });
    expect(once?.singleUse).toMatchObject({ whenUnavailable: 'refuse' });
  });

  it('wants a secret for a store that edges share, since each would hash differently', async () => {
    const shared = { ...ON, CALLPASS_EDGE_AUTHORIZE_SINGLE_USE_URL: 'redis://127.0.0.1:1' };
    await expect(open(shared)).rejects.toThrow(SettingsError);
    await expect(open(shared)).rejects.toThrow(/visitor\.secrets/);
  });
});

describe('settings of /v1/authorize that cannot be used', () => {
  it.each([
    { CALLPASS_EDGE_AUTHORIZE_REALMS: 'support.example' },
    { CALLPASS_EDGE_AUTHORIZE_PROXIES: 'loopback' },
    { ...ON, CALLPASS_EDGE_AUTHORIZE_PROXIES: 'proxy.example' },
    { ...ON, CALLPASS_EDGE_AUTHORIZE_ACCEL_REDIRECT: '/gateway' },
  ])('stop the start: %j', async (environment) => {
    await expect(checkSettings(settingsOf(environment))).rejects.toThrow(SettingsError);
  });

  it('leave nothing behind that was opened before they were found', async () => {
    const authority = await createAuthority();
    const { cert, key } = await authority.issue({ use: 'server', commonName: 'edge', names: ['127.0.0.1'] });
    const folder = mkdtempSync(join(tmpdir(), 'callpass-authorize-'));
    const certFile = join(folder, 'edge.crt');
    const keyFile = join(folder, 'edge.key');
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    const settings = settingsOf({
      ...ON,
      CALLPASS_EDGE_AUTHORIZE_SINGLE_USE_URL: 'redis://127.0.0.1:1',
      CALLPASS_EDGE_LISTEN_CERT_FILE: certFile,
      CALLPASS_EDGE_LISTEN_KEY_FILE: keyFile,
    });
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date', 'performance'] });
    await expect(checkSettings(settings)).rejects.toThrow(/visitor\.secrets/);
    // The certificate is looked at every second, until the app is closed.
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
    rmSync(folder, { recursive: true });
  });

  it('are looked for without a connection to the Redis that they name', async () => {
    let connections = 0;
    const redis = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    redis.listen(0, '127.0.0.1');
    await once(redis, 'listening');
    const { port } = redis.address() as AddressInfo;
    await checkSettings(
      settingsOf({
        ...ON,
        CALLPASS_EDGE_AUTHORIZE_SINGLE_USE_URL: `redis://127.0.0.1:${port}`,
        CALLPASS_EDGE_VISITOR_SECRETS: 's'.repeat(32),
      }),
    );
    // One that was opened before this one is taken before it too.
    await once(connect(port, '127.0.0.1'), 'close');
    redis.close();
    expect(connections).toBe(1);
  });

  it.each(['http://127.0.0.1', 'redis://a b:1', 'redis'])('are found: %s', (url) => {
    const load = () => settingsOf({ ...ON, CALLPASS_EDGE_AUTHORIZE_SINGLE_USE_URL: url });
    expect(load).toThrow(SettingsError);
  });
});
