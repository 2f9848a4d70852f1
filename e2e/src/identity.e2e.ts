import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '@callpass/dev-certificates';
import { createAdminClient, createCredentialClient } from '@callpass/client';
import { Cipher, Role } from '@callpass/contract';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { plant } from './canary/keep.ts';
import { startWithDevCerts, tlsFiles, type DevCertsServer } from './dev-certs.ts';
import { startServerProcess } from './processes.ts';

const TOKEN = randomBytes(32).toString('base64url');
const SHA256 = createHash('sha256').update(TOKEN).digest('hex');

const document = (clients: string) => `
realms: [{ name: r.example, cipher: AES_128_ECB, tokenLifetime: 60s }]
destinations:
  - { id: line, realm: r.example, account: a@x.example, callees: [b@x.example] }
  - { id: other, realm: r.example, account: a@x.example, callees: [b@x.example] }
${clients}
`;

let server: DevCertsServer;
beforeAll(async () => {
  server = await startWithDevCerts();
});
afterAll(() => server.stop());

const apply = (clients: string) =>
  server.callpass(['config', 'apply', '-f', '-'], server.as('operator'), document(clients));

describe('from nothing to the first call, as dev-certs says', () => {
  it('the operator of the settings applies the first configuration', async () => {
    const advised = server.advice.slice(
      server.advice.indexOf('clients:'),
      server.advice.indexOf('# the command line'),
    );
    expect(
      await apply(
        `${advised}  - { name: script, identities: [{ tokenSha256: ${SHA256} }], grants: [{ role: ISSUER, destinations: [line] }] }\n`,
      ),
    ).toMatchObject({ code: 0 });
    expect(
      await server.callpass(['key', 'add', 'r.example', '--generate'], server.as('operator')),
    ).toMatchObject({ code: 0 });
    expect(await server.callpass(['key', 'activate', 'r.example', '1'], server.as('operator'))).toMatchObject(
      { code: 0 },
    );
  });

  it.each(['edge', 'service'] as const)('the client %s issues with its certificate', async (client) => {
    const issued = await server.callpass(['issue', 'line', '--output', 'json'], server.as(client));
    expect(issued).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(issued.stdout)).toMatchObject({ callee: 'b@x.example' });
  });

  it('a script issues with its token, for what it was granted only', async () => {
    const file = join(server.folder, 'token');
    plant('bearer token', TOKEN);
    writeFileSync(file, `${TOKEN}\n`);
    expect(await server.callpass(['issue', 'line', '--token-file', file])).toMatchObject({ code: 0 });
    const refused = await server.callpass(['issue', 'other', '--token-file', file]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('CLIENT_NOT_GRANTED');
  });

  it('whoever presents nothing, or something of somebody else, is told what is wanted', async () => {
    const nothing = await server.callpass(['issue', 'line']);
    expect(nothing.code).toBe(1);
    expect(nothing.stderr).toMatch(/UNAUTHENTICATED/);
    expect(nothing.stderr).toMatch(/client certificate or a bearer token/);
    const { cert, key } = await (
      await createAuthority()
    ).issue({ names: ['edge.callpass.example'], use: 'client' });
    const pair = {
      CALLPASS_CERT: join(server.folder, 'stranger.crt'),
      CALLPASS_KEY: join(server.folder, 'stranger.key'),
    };
    writeFileSync(pair.CALLPASS_CERT, cert);
    writeFileSync(pair.CALLPASS_KEY, key);
    const stranger = await server.callpass(['issue', 'line'], { ...server.as('edge'), ...pair });
    expect(stranger.code).toBe(1);
    expect(stranger.stderr).toMatch(/not of an authority that is trusted here/);
  });

  it('the ledger has who was refused, and the log no secret', async () => {
    const { stdout } = await server.callpass(
      ['ledger', 'list', '--kind', 'refused', '--output', 'json'],
      server.as('operator'),
    );
    expect(stdout).toContain('authentication NOTHING_PRESENTED');
    expect(stdout).toContain('authentication CERTIFICATE_UNTRUSTED');
    expect(JSON.stringify(JSON.parse(stdout))).toMatch(/"client":"script"[^}]*"reason":"CLIENT_NOT_GRANTED"/);
    expect(server.output() + stdout).not.toContain(TOKEN);
  });

  it('a client that is taken out of the document is nobody at once', async () => {
    expect(await apply('')).toMatchObject({ code: 0 });
    const refused = await server.callpass(['issue', 'line'], server.as('edge'));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('no client is recognised');
  });
});

it('a server of which nobody has said who may ask lets nobody in, and says so', async () => {
  const plain = await startServerProcess({ CALLPASS_ACCESS_LOCAL: 'none' });
  try {
    const client = createCredentialClient({ address: plain.address });
    await expect(client.issueCredentials({ destination: 'line' })).rejects.toMatchObject({
      reason: 'CLIENT_UNKNOWN',
      message: expect.stringContaining('access.local'),
    });
    client.close();
  } finally {
    await plain.stop();
  }
});

it('10,000 destinations and 300 clients do not slow a request', async () => {
  const target = { address: server.address, tls: tlsFiles(server.folder, 'operator') };
  const admin = createAdminClient({ ...target, defaultTimeoutMs: 60_000 });
  const destination = (index: number) => ({
    id: `line-${index}`,
    realm: 'r.example',
    account: 'a@x.example',
    callees: ['b@x.example'],
  });
  const configure = async (destinations: number, clients: number) => {
    const ids = Array.from({ length: destinations }, (_, index) => destination(index));
    const { revision } = await admin.getConfiguration({});
    await admin.applyConfiguration({
      configuration: {
        realms: [{ name: 'r.example', cipher: Cipher.AES_128_ECB, tokenLifetime: { seconds: 60n } }],
        destinations: ids,
        clients: Array.from({ length: clients }, (_, index) => ({
          name: `client-${index}`,
          identities: [
            index === 0
              ? { kind: { case: 'dnsName' as const, value: 'edge.callpass.example' } }
              : { kind: { case: 'spiffeId' as const, value: `spiffe://x.example/${index}` } },
          ],
          grants: [{ role: Role.ISSUER, destinations: ids.slice(0, 100).map(({ id }) => id) }],
        })),
      },
      expectedRevision: revision?.revision ?? 0,
      force: true,
    });
  };
  const edge = createCredentialClient({ address: server.address, tls: tlsFiles(server.folder, 'edge') });
  const median = async () => {
    const times: number[] = [];
    for (let asked = 0; asked < 300; asked++) {
      const startMs = performance.now();
      await edge.issueCredentials({ destination: `line-${asked % 10}` });
      times.push(performance.now() - startMs);
    }
    return times.sort((a, b) => a - b)[150] as number;
  };
  await configure(10, 1);
  await median();
  const few = await median();
  await configure(10_000, 300);
  const many = await median();
  edge.close();
  admin.close();
  expect(many).toBeLessThan(3 * few + 5);
});
