import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, type Authority, type CertifiedKey } from '@callpass/dev-certificates';
import { ServerCredentials, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createCredentialClient, type CredentialClient } from '../credentials/credential-client.ts';
import { rejectionOf, startLocalService, type LocalService } from '../testing/local-service.ts';
import type { ConnectOptions } from './connect.ts';

let folder: string;
let authority: Authority;
let service: LocalService;
let seen: { subject: string | undefined; authorization: unknown }[];
const clients: CredentialClient[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-client-tls-'));
  authority = await createAuthority();
  const served = await authority.issue({ names: ['localhost', '127.0.0.1'], use: 'server' });
  seen = [];
  service = await startLocalService(
    {
      validateToken: (_request, call) => {
        const { sslPeerCertificate } = call.grpcCall.getAuthContext();
        seen.push({
          subject: sslPeerCertificate?.subject.CN as string | undefined,
          authorization: call.metadata.get('authorization')[0],
        });
        return {};
      },
    },
    {
      credentials: ServerCredentials.createSsl(
        Buffer.from(authority.cert),
        [{ cert_chain: Buffer.from(served.cert), private_key: Buffer.from(served.key) }],
        true,
      ),
    },
  );
});
afterAll(() => {
  service.stop();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function open(options: Partial<ConnectOptions>): CredentialClient {
  const client = createCredentialClient({
    address: service.address,
    retry: false,
    // So that each client makes a connection of its own.
    channelOptions: { 'grpc.use_local_subchannel_pool': 1 },
    ...options,
  });
  clients.push(client);
  return client;
}

const ask = (client: CredentialClient) => client.validateToken({ realm: 'r', token: 'AB' });
const issue = (commonName: string): Promise<CertifiedKey> => authority.issue({ commonName, use: 'client' });

function write(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

describe('TLS', () => {
  it('presents the client certificate, also to an IP address, and without a warning of Node', async () => {
    const warnings: string[] = [];
    const warn = (warning: Error) => warnings.push(warning.message);
    process.on('warning', warn);
    const { cert, key } = await issue('edge');
    await ask(open({ tls: { ca: authority.cert, cert, key } }));
    await ask(
      open({
        address: service.address.replace('127.0.0.1', 'localhost'),
        tls: { ca: authority.cert, cert, key },
      }),
    );
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', warn);
    expect(seen.splice(0).map(({ subject }) => subject)).toEqual(['edge', 'edge']);
    expect(warnings).toEqual([]);
  });

  it('does not talk to a server whose certificate is of another authority or name', async () => {
    const { cert, key } = await issue('edge');
    const stranger = await createAuthority();
    const code = status.UNAVAILABLE;
    expect(await rejectionOf(ask(open({ tls: { ca: stranger.cert, cert, key } })))).toMatchObject({ code });
    const channelOptions = {
      'grpc.ssl_target_name_override': 'other.example',
      'grpc.use_local_subchannel_pool': 1,
    };
    expect(
      await rejectionOf(ask(open({ tls: { ca: authority.cert, cert, key }, channelOptions }))),
    ).toMatchObject({ code });
    expect(seen).toEqual([]);
  });

  it('takes a renewed certificate without a lost call, and never one that is half written', async () => {
    const [old, renewed, other] = [await issue('old'), await issue('renewed'), await issue('other')];
    const certFile = write('renewed.crt', old.cert);
    const keyFile = write('renewed.key', old.key);
    const client = open({ tls: { ca: authority.cert, certFile, keyFile } });
    const askUntil = async (subject: string) => {
      for (;;) {
        await ask(client);
        if (seen.splice(0).at(-1)?.subject === subject) return;
      }
    };
    await askUntil('old');
    write('renewed.crt', renewed.cert);
    const startedAt = performance.now();
    while (performance.now() - startedAt < 1500) await askUntil('old');
    write('renewed.key', renewed.key);
    await askUntil('renewed');
    write('renewed.key', other.key);
    write('renewed.crt', other.cert);
    await askUntil('other');
  }, 30_000);

  it("tells the caller that the client's own certificate has expired, which a server that insists on one does not", async () => {
    const day = 86_400_000;
    const times = { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) };
    const { cert, key } = await authority.issue({ commonName: 'late', use: 'client', ...times });
    const error = await rejectionOf(ask(open({ tls: { ca: authority.cert, cert, key } })));
    expect(error).toMatchObject({ code: status.UNAVAILABLE });
    expect(String(error)).toMatch(/this client's certificate has expired at 20\d\d-/);
    const good = await issue('edge');
    const stranger = await createAuthority();
    const other = await rejectionOf(ask(open({ tls: { ...good, ca: stranger.cert } })));
    expect(String(other)).not.toContain('expired');
    expect(seen).toEqual([]);
  });

  it('reads files again for a new connection, and keeps the last ones while a file is no good', async () => {
    const files = (pair: CertifiedKey) => ({
      caFile: write('ca.crt', authority.cert),
      certFile: write('tls.crt', pair.cert),
      keyFile: write('tls.key', pair.key),
    });
    const tls = files(await issue('first'));
    const connection = {
      tls,
      channelOptions: { 'grpc.use_local_subchannel_pool': 1 },
    };
    const client = open(connection);
    await ask(client);
    files(await issue('second'));
    await ask(client);
    await ask(open(connection));
    expect(seen.splice(0).map(({ subject }) => subject)).toEqual(['first', 'first', 'second']);
    write('tls.crt', 'half a certif');
    const error = await rejectionOf(ask(open(connection)));
    expect(error).toMatchObject({ code: status.UNAVAILABLE });
  });

  it('keeps the last files on a connection that is made again while a file is no good', async () => {
    const pair = await issue('kept');
    const tls = {
      caFile: write('ca.crt', authority.cert),
      certFile: write('kept.crt', pair.cert),
      keyFile: write('kept.key', pair.key),
    };
    const { TlsCredentials } = await import('./tls-credentials.ts');
    const credentials = new TlsCredentials(tls);
    const options = (): Partial<ConnectOptions> => ({ credentials });
    await ask(open(options()));
    write('kept.crt', 'half a certif');
    await ask(open(options()));
    expect(seen.splice(0).map(({ subject }) => subject)).toEqual(['kept', 'kept']);
  });

  it.each([
    [{ ca: 'x', caFile: 'y' }, /ca or caFile/],
    [{ certFile: 'x' }, /go together/],
    [{ cert: 'x', certFile: 'x', keyFile: 'y' }, /cert or certFile/],
  ])('refuses %j', (tls, message) => {
    expect(() => open({ tls })).toThrow(message);
  });

  it('says what to do about PEM that cannot be used, without words of OpenSSL', async () => {
    const { cert, key } = await issue('one');
    const other = await issue('other');
    const half = (text: string) => `${text.slice(0, 80)}\n-----END CERTIFICATE-----\n`;
    const locked = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n';
    for (const [tls, message] of [
      [{ ca: '' }, 'tls: the list of authorities is empty; give PEM, which begins with -----BEGIN'],
      [{ ca: 'none' }, 'tls: the list of authorities is no PEM; it has to begin with -----BEGIN'],
      [
        { ca: half(authority.cert) },
        'tls: the PEM of the list of authorities is damaged or of something else; copy the whole file again',
      ],
      [{ cert: 'none', key }, 'tls: the certificate is no PEM; it has to begin with -----BEGIN'],
      [
        { cert: key, key: cert },
        'tls: the PEM of the certificate is damaged or of something else; copy the whole file again',
      ],
      [
        { cert, key: half(key) },
        'tls: the PEM of the key is damaged or of something else; copy the whole file again',
      ],
      [
        { cert, key: locked },
        'tls: the key has a passphrase; take it away with: openssl pkey -in KEY -out NEW',
      ],
      [{ cert, key: other.key }, 'tls: certificate and key do not belong together; give those of one pair'],
    ] as const)
      expect(() => open({ tls })).toThrow(message);
  });

  it('sends the token of a file, and another one when the file holds another', async () => {
    const { cert, key } = await issue('edge');
    const file = write('token', 'one\n');
    const client = open({ tls: { ca: authority.cert, cert, key }, token: { file } });
    await ask(client);
    write('token', 'two\n');
    do await ask(client);
    while (seen.at(-1)?.authorization === 'Bearer one');
    expect(seen.splice(0).map(({ authorization }) => authorization)).toEqual(
      expect.arrayContaining(['Bearer one', 'Bearer two']),
    );
  });
});
