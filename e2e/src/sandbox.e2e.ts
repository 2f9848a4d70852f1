import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { opensslCbc, opensslEcb } from './openssl.ts';
import { ended, ROOT, run, startSandbox, type Sandbox } from './processes.ts';

interface IssueJson {
  readonly timeLimited?: { accountToken: string; fromToken: string; toToken: string; realm: string };
  readonly unrestricted?: object;
  readonly issueTime: string;
}

const LOOPBACK_URL = /^http:\/\/127\.0\.0\.1:\d+$/;

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
}, 180_000);
afterAll(() => sandbox.stop());

const callpass = (...args: string[]) => run('npx', ['callpass', ...args, '--address', sandbox.ready.grpc]);

async function issueJson(destination: string): Promise<IssueJson> {
  const { code, stdout, stderr } = await callpass('issue', destination, '--output', 'json');
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('rror')]);
  return JSON.parse(stdout) as IssueJson;
}

const keyOf = (realm: string | undefined) =>
  sandbox.ready.realms.find(({ name }) => name === realm)?.key ?? '';

describe('npm start', () => {
  it('writes the ready file as the contract page has it', () => {
    expect(sandbox.ready).toEqual({
      grpc: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      edge: expect.stringMatching(LOOPBACK_URL),
      gateway: expect.stringMatching(LOOPBACK_URL),
      page: `${sandbox.ready.edge}/`,
      telemetry: expect.stringMatching(LOOPBACK_URL),
      metrics: expect.stringMatching(LOOPBACK_URL),
      destinations: ['support', 'support-cbc', 'lobby'],
      realms: [
        {
          name: 'support.example',
          key: expect.stringMatching(/^.{16}$/),
          cipher: 'AES_128_ECB',
          expirySeconds: 600,
        },
        {
          name: 'support-cbc.example',
          key: expect.stringMatching(/^.{32}$/),
          cipher: 'AES_256_CBC_HMAC_SHA256',
          expirySeconds: 600,
        },
      ],
    });
  });

  it('serves an OpenAPI document of which a client can be made that compiles and issues', async () => {
    const folder = mkdtempSync(join(ROOT, 'node_modules', '.cache', 'callpass-openapi-'));
    try {
      const client = join(folder, 'client.mts');
      cpSync(join(ROOT, 'e2e/stranger/openapi.ts'), client);
      const types = [
        'openapi-typescript',
        `${sandbox.ready.edge}/openapi.json`,
        '-o',
        join(folder, 'edge.d.ts'),
      ];
      const compile = [
        'tsc',
        '--ignoreConfig',
        '--strict',
        '--module',
        'nodenext',
        '--types',
        'node',
        client,
      ];
      for (const [command = '', ...args] of [types, compile])
        expect(await run(command, args)).toMatchObject({ code: 0 });
      const { stdout, stderr } = await run('node', [join(folder, 'client.mjs')], {
        env: { EDGE: sandbox.ready.edge },
      });
      expect([stdout, stderr]).toEqual([
        expect.stringMatching(/^support\.example \d+ 0 CLIENT_NOT_GRANTED\n$/),
        '',
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('serves the page and what the page finds at run time', async () => {
    const { edge, page, gateway, telemetry } = sandbox.ready;
    const html = await fetch(page);
    expect([html.status, html.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await json(`${edge}/sandbox/config.json`)).toMatchObject({
      edge,
      gateway: { host: '127.0.0.1', port: Number(new URL(gateway).port), http: 'http', websocket: 'ws' },
      control: `${gateway}/sandbox`,
      telemetry,
      destinations: [{ id: 'support' }, { id: 'support-cbc' }, { id: 'lobby' }],
    });
  });

  it('prints the addresses and one credential that was issued and validated', () => {
    for (const name of ['grpc', 'edge', 'gateway', 'page', 'telemetry'] as const) {
      expect(sandbox.output()).toContain(sandbox.ready[name]);
    }
    expect(sandbox.output()).toMatch(/issuance\s+[0-9a-f-]{36}/);
    expect(sandbox.output()).toMatch(/validated\s+VALID/);
  });
});

interface BrowserCredentials {
  readonly accountToken: string;
  readonly fromToken: string;
  readonly toToken: string;
  readonly realm: string;
}

async function json(url: string, init?: RequestInit) {
  const response = await fetch(url, init);
  return (await response.json()) as Record<string, unknown>;
}

/** Requests credentials from each of the edge's three routes. */
async function fromRoutes({ ready: { edge } }: Sandbox, destination: string): Promise<BrowserCredentials[]> {
  const own = await json(`${edge}/v1/destinations/${destination}/credentials`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const express = await json(`${edge}/callparameters?destination=${destination}`);
  const actg = await json(`${edge}/actg/token?identifier=${destination}`);
  return [own['credentials'], express, { ...actg, realm: actg['tokenRealm'] }] as BrowserCredentials[];
}

/** The gateway's answer to a subscription, as the SDK asks for it. */
async function subscribe({ ready: { gateway } }: Sandbox, { accountToken, realm }: BrowserCredentials) {
  const response = await fetch(
    `${gateway}/rest/version/1/anonymous/${accountToken}/subscription?tokenrealm=${realm}`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        subscribeRequest: { expires: 3600, service: ['callMe'], notificationType: 'WebSocket' },
      }),
    },
  );
  return { status: response.status, body: (await response.json()) as unknown };
}

describe('the edge’s three routes', () => {
  it.each(['support', 'support-cbc'])('%s: tokens that openssl opens, and the gateway takes', async (id) => {
    for (const credentials of await fromRoutes(sandbox, id)) {
      const key = keyOf(credentials.realm);
      const open = async (token: string) =>
        id === 'support' ? opensslEcb(key, token) : (await opensslCbc(key, token)).plaintext;
      expect(await open(credentials.accountToken)).toMatch(/^anonymous@kandy\.example;(x-ts=)?\d{13}$/);
      expect(await open(credentials.fromToken)).toMatch(/^sip:anonymous@kandy\.example;(x-ts=)?\d{13}$/);
      expect(await open(credentials.toToken)).toMatch(/^sip:support@kandy\.example;(x-ts=)?\d{13}$/);
      expect((await subscribe(sandbox, credentials)).status).toBe(200);
    }
  });

  it('the gateway refuses a wrong realm with 64 and a token that does not open with 46', async () => {
    const [credentials] = await fromRoutes(sandbox, 'support-cbc');
    const { accountToken = '', ...rest } = credentials ?? {};
    const changed = accountToken.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    const refused = async (more: object) =>
      subscribe(sandbox, { accountToken, ...rest, ...more } as BrowserCredentials);
    expect(await refused({ realm: 'elsewhere.example' })).toEqual({
      status: 403,
      body: { authorizationResponse: { statusCode: 64 } },
    });
    expect(await refused({ accountToken: changed })).toEqual({
      status: 403,
      body: { authorizationResponse: { statusCode: 46 } },
    });
  });

  it('the gateway refuses with 65 once the realm’s lifetime is over', async () => {
    const shortLived = await startSandbox(['--expiry', '3']);
    try {
      const answers = await fromRoutes(shortLived, 'support');
      for (const credentials of answers) {
        const issuedAt = Number((await opensslEcbOf(shortLived, credentials)).split(';')[1]);
        while (Date.now() <= issuedAt + 3000) await new Promise((resolve) => setTimeout(resolve, 100));
        expect(await subscribe(shortLived, credentials)).toEqual({
          status: 403,
          body: { authorizationResponse: { statusCode: 65 } },
        });
      }
    } finally {
      await shortLived.stop();
    }
  }, 180_000);

  const opensslEcbOf = ({ ready }: Sandbox, { realm, accountToken }: BrowserCredentials) =>
    opensslEcb(ready.realms.find(({ name }) => name === realm)?.key ?? '', accountToken);
});

it('a trace from the edge’s request to the service is seen at the control', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  await fetch(`${sandbox.ready.edge}/v1/destinations/support/credentials`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    },
    body: '{}',
  });
  const spansSeen = async () =>
    (await json(`${sandbox.ready.gateway}/sandbox/traces/${traceId}`))['spans'] as { service: string }[];
  const start = Date.now();
  let services = new Set<string>();
  while (services.size < 2 && Date.now() - start < 30_000) {
    services = new Set((await spansSeen()).map(({ service }) => service));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect([...services].sort()).toEqual(['callpass-edge', 'callpass-server']);
}, 60_000);

it('the service stopped and started again: the edge answers 503 meanwhile, and issues after', async () => {
  const { edge, gateway } = sandbox.ready;
  const issue = () => fetch(`${edge}/callparameters`);
  const server = (action: string) =>
    fetch(`${gateway}/sandbox/processes/server/${action}`, { method: 'POST' });
  expect((await server('stop')).status).toBe(204);
  expect((await issue()).status).toBe(503);
  expect((await server('start')).status).toBe(204);
  const start = Date.now();
  while ((await issue()).status !== 200) {
    if (Date.now() - start > 30_000) throw new Error('the edge did not come back');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}, 60_000);

it('callpass top shows the sandbox: its instance, what it has issued, and its keys', async () => {
  const { code, stdout } = await callpass(
    ...['top', '--once', '--interval', '200ms', '--metrics', sandbox.ready.metrics],
  );
  const rows = stdout.split('\n').map((line) => line.split('\t').slice(1));
  expect(code).toBe(0);
  expect(rows).toContainEqual(['configuration', 'revision 1', 'freezes 0']);
  expect(rows).toContainEqual(
    expect.arrayContaining(['instance', new URL(sandbox.ready.metrics).host, 'issues']),
  );
  expect(rows).toContainEqual(expect.arrayContaining(['destination', 'support']));
  expect(rows).toContainEqual(['end', 'key of support.example', 'rotation due', expect.stringMatching(/ d/)]);
});

describe('callpass issue', () => {
  it('support: three ECB tokens that openssl opens, with one timestamp', async () => {
    const { timeLimited, issueTime } = await issueJson('support');
    const timestamp = Date.parse(issueTime);
    const key = keyOf(timeLimited?.realm);
    expect(await opensslEcb(key, timeLimited?.accountToken ?? '')).toBe(
      `anonymous@kandy.example;${timestamp}`,
    );
    expect(await opensslEcb(key, timeLimited?.fromToken ?? '')).toBe(
      `sip:anonymous@kandy.example;${timestamp}`,
    );
    expect(await opensslEcb(key, timeLimited?.toToken ?? '')).toBe(`sip:support@kandy.example;${timestamp}`);
  });

  it('support-cbc: three CBC tokens that openssl opens, each with a fresh IV', async () => {
    const { timeLimited, issueTime } = await issueJson('support-cbc');
    const timestamp = Date.parse(issueTime);
    const { accountToken = '', fromToken = '', toToken = '' } = timeLimited ?? {};
    const opened = await Promise.all(
      [accountToken, fromToken, toToken].map((token) => opensslCbc(keyOf(timeLimited?.realm), token)),
    );
    expect(opened.map(({ plaintext }) => plaintext)).toEqual([
      `anonymous@kandy.example;x-ts=${timestamp}`,
      `sip:anonymous@kandy.example;x-ts=${timestamp}`,
      `sip:support@kandy.example;x-ts=${timestamp}`,
    ]);
    expect(new Set(opened.map(({ iv }) => iv)).size).toBe(3);
  });

  it('lobby: an unrestricted grant', async () => {
    const answer = await issueJson('lobby');
    expect(answer.unrestricted).toEqual({});
    expect(answer.timeLimited).toBeUndefined();
  });

  it('prints every field of the response as protojson', async () => {
    expect(Object.keys(await issueJson('support')).sort()).toEqual(
      [
        'callee',
        'caller',
        'expireTime',
        'issuanceId',
        'issueTime',
        'keyVersion',
        'refreshTime',
        'timeLimited',
      ].sort(),
    );
  });
});

describe('callpass validate', () => {
  it('ends with 0 for a token that is VALID and with 1 for one that is not', async () => {
    const { timeLimited } = await issueJson('support');
    const { realm = '', toToken = '', fromToken = '' } = timeLimited ?? {};
    const validate = (token: string, ...more: string[]) =>
      callpass('validate', token, '--realm', realm, ...more);
    expect((await validate(toToken, '--kind', 'TO', '--require-issued-here')).code).toBe(0);
    expect((await validate(fromToken.replace(/^../, 'FF'))).code).toBe(1);
  });

  it('ends with 3 when nothing listens', async () => {
    const { code } = await run('npx', [
      'callpass',
      'issue',
      'support',
      '--address',
      '127.0.0.1:9',
      '--timeout',
      '2s',
    ]);
    expect(code).toBe(3);
  });
});

describe('buf curl, by reflection', () => {
  const curl = (...args: string[]) =>
    run('buf', ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args]);

  it('lists the services', async () => {
    const { stdout } = await curl('--list-services', `http://${sandbox.ready.grpc}`);
    expect(stdout).toContain('callpass.v1.CredentialService');
    expect(stdout).toContain('callpass.v1.AdminService');
    expect(stdout).toContain('grpc.health.v1.Health');
  });

  it('issues a credential, and shows the details of a refusal', async () => {
    const url = `http://${sandbox.ready.grpc}/callpass.v1.CredentialService/IssueCredentials`;
    const granted = await curl('-d', '{"destination":"support"}', url);
    expect(JSON.parse(granted.stdout)).toMatchObject({ callee: 'support@kandy.example' });
    const refused = await curl('-d', '{"destination":"support","callee":"other@kandy.example"}', url);
    expect(refused.code).not.toBe(0);
    // google.rpc.ErrorInfo as this tool shows it: its bytes in base64, the reason among them.
    expect(refused.stderr).toContain('google.rpc.ErrorInfo');
    const { details } = JSON.parse(refused.stderr) as { details: { value: string }[] };
    expect(Buffer.from(details[0]?.value ?? '', 'base64').toString()).toContain('CALLEE_NOT_ALLOWED');
  });
});

it('SIGTERM ends everything within 5 s with 0, and leaves no process and no file', async () => {
  const other = await startSandbox();
  const processes = await descendants(other.child.pid ?? 0);
  expect(processes.length).toBeGreaterThan(1);
  const start = Date.now();
  other.child.kill('SIGTERM');
  expect(await ended(other.child)).toEqual({ code: 0, signal: null });
  expect(Date.now() - start).toBeLessThan(5000);
  expect(processes.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
  expect(existsSync(other.readyFile)).toBe(false);
  await other.stop();
}, 60_000);

async function descendants(pid: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-e', '-o', 'pid=,ppid=']);
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    pairs.filter(([, ppid]) => ppid === parent).flatMap(([child = 0]) => [child, ...below(child)]);
  return [pid, ...below(pid)];
}

it('never shows a whole token or a key to the terminal', () => {
  for (const { key } of sandbox.ready.realms) expect(sandbox.output()).not.toContain(key);
  expect(sandbox.output()).not.toMatch(/[0-9A-F]{64}/);
  expect(readFileSync(sandbox.readyFile, 'utf8')).toContain('realms');
});
