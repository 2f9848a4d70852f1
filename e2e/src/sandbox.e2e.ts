import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { opensslCbc, opensslEcb } from './openssl.ts';
import { ended, run, startSandbox, type Sandbox } from './processes.ts';

interface IssueJson {
  readonly timeLimited?: { accountToken: string; fromToken: string; toToken: string; realm: string };
  readonly unrestricted?: object;
  readonly issueTime: string;
}

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
      edge: null,
      gateway: null,
      page: null,
      telemetry: null,
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

  it('prints the address and one credential that was issued and validated', () => {
    expect(sandbox.output()).toContain(sandbox.ready.grpc);
    expect(sandbox.output()).toMatch(/issuance\s+[0-9a-f-]{36}/);
    expect(sandbox.output()).toMatch(/validated\s+VALID/);
  });
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
