import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { createAuthority, type Authority, type CertifiedKey } from '@callpass/dev-certificates';
import { createClient } from '@callpass/grpc-kit';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { ServerReflection } from '@callpass/rpc-protos/gen/grpc/reflection/v1/reflection_pb.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLog } from '@callpass/program/log';
import { startServer } from '../server.ts';
import { loadServerSettings } from '../settings/load.ts';
import { connectPresenting } from '../testing/presented.ts';
import { refusalOf } from '../testing/refusal.ts';
import { openTransport } from './tls.ts';
import { startTlsServer, type TlsServer } from '../testing/tls-server.ts';

let folder: string;
let authority: Authority;
let pair: CertifiedKey;
let files: { cert: string; key: string; otherKey: string; ca: string; authorities: string; nonsense: string };
let shortLived: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-transport-'));
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  authority = await createAuthority();
  pair = await authority.issue({ names: ['localhost'], use: 'server' });
  shortLived = (await authority.issue({ use: 'client', notAfter: new Date(Date.now() + 86_400_000) })).cert;
  files = {
    cert: file('tls.crt', pair.cert),
    key: file('tls.key', pair.key),
    otherKey: file('other.key', (await authority.issue({ use: 'server' })).key),
    ca: file('ca.crt', authority.cert),
    authorities: file('authorities.crt', authority.cert + shortLived),
    nonsense: file('nonsense', 'canary'),
  };
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function start(environment: Record<string, string>) {
  const settings = loadServerSettings({
    environment: {
      CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
      CALLPASS_STORE_URL: `sqlite:${join(folder, `${randomBytes(6).toString('hex')}.db`)}`,
      CALLPASS_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      CALLPASS_LOG_LEVEL: 'silent',
      ...environment,
    },
  });
  return startServer(settings, createLog(settings.log));
}

describe('plain text beyond this machine', () => {
  const beyond = { CALLPASS_LISTEN_ADDRESS: '0.0.0.0:0' };

  it('has to be said twice', async () => {
    await expect(start(beyond)).rejects.toThrow(/not a loopback address/);
    const once = { ...beyond, CALLPASS_LISTEN_ALLOW_PLAINTEXT: 'true' };
    await expect(start(once)).rejects.toThrow(/plaintextEncryptedBy/);
    const named = { ...beyond, CALLPASS_LISTEN_PLAINTEXT_ENCRYPTED_BY: 'mesh' };
    await expect(start(named)).rejects.toThrow(/not a loopback address/);
    await (await start({ ...once, ...named })).stop();
  });

  it('never makes everybody an operator', async () => {
    await expect(
      start({
        ...beyond,
        CALLPASS_LISTEN_ALLOW_PLAINTEXT: 'true',
        CALLPASS_LISTEN_PLAINTEXT_ENCRYPTED_BY: 'mesh',
        CALLPASS_ACCESS_LOCAL: 'everything',
      }),
    ).rejects.toThrow(/access\.local/);
  });
});

describe('TLS', () => {
  it('does not start with files that cannot be used, and never quotes them', async () => {
    const tls = { CALLPASS_TLS_CERT_FILE: files.cert, CALLPASS_TLS_KEY_FILE: files.key };
    const wrong: [Record<string, string>, RegExp][] = [
      [{ CALLPASS_TLS_CERT_FILE: files.cert }, /go together/],
      [{ CALLPASS_TLS_CLIENT_CA_FILE: files.ca }, /clientCaFile: needs/],
      [{ ...tls, CALLPASS_TLS_CLIENT_CERTIFICATES: 'required' }, /required needs clientCaFile/],
      [{ ...tls, CALLPASS_TLS_KEY_FILE: files.otherKey }, /^tls: .*other\.key/],
      [{ ...tls, CALLPASS_TLS_CERT_FILE: files.nonsense }, /^tls: .*nonsense/],
      [{ ...tls, CALLPASS_TLS_CLIENT_CA_FILE: files.nonsense }, /^tls: .*nonsense/],
      [{ ...tls, CALLPASS_TLS_KEY_FILE: join(folder, 'gone') }, /there is no such file/],
      [{ ...tls, CALLPASS_ACCESS_LOCAL: 'everything' }, /access\.local/],
    ];
    for (const [environment, message] of wrong) {
      const starting = start(environment);
      await expect(starting).rejects.toThrow(message);
      await expect(starting).rejects.not.toThrow(/canary|PRIVATE/);
    }
  });

  it('tells when the first of its client authorities runs out, besides its certificate', () => {
    const day = 86_400_000;
    const settings = loadServerSettings({
      environment: {
        CALLPASS_TLS_CERT_FILE: files.cert,
        CALLPASS_TLS_KEY_FILE: files.key,
        CALLPASS_TLS_CLIENT_CA_FILE: files.authorities,
      },
    });
    const transport = openTransport(settings, createLog({ level: 'silent' }));
    const [server, clientCa, ...others] = transport.expiries();
    transport.stop();
    expect(server?.certificate).toBe('server');
    expect(((server?.notAfterMs ?? 0) - Date.now()) / day).toBeCloseTo(30, 1);
    expect(clientCa).toEqual({
      certificate: 'client_ca',
      notAfterMs: new X509Certificate(shortLived).validToDate.getTime(),
    });
    expect(others).toEqual([]);
  });

  it('tells when its certificate runs out', async () => {
    const running = await start({ CALLPASS_TLS_CERT_FILE: files.cert, CALLPASS_TLS_KEY_FILE: files.key });
    const days = ((running.certificateExpiry()?.notAfterMs ?? 0) - Date.now()) / 86_400_000;
    await running.stop();
    expect(days).toBeCloseTo(30, 1);
  });

  describe('that is served', () => {
    let server: TlsServer;
    beforeAll(async () => {
      server = await startTlsServer({
        environment: { CALLPASS_TLS_CLIENT_CERTIFICATES: 'required', CALLPASS_REFLECTION: 'false' },
      });
    });
    afterAll(() => server.stop());

    /** The protocol that is agreed on, or the code of the failure. */
    function handshake(options: ConnectionOptions): Promise<string | false | null | undefined> {
      const [host = '', port] = server.address.split(':');
      return new Promise((resolve) => {
        const socket = connect(
          {
            ...{ host, port: Number(port), servername: 'localhost', ca: server.authority.cert },
            ...{ cert: server.operator.cert, key: server.operator.key, ALPNProtocols: ['h2'] },
            ...options,
          },
          () => {
            resolve(socket.alpnProtocol);
            socket.destroy();
          },
        );
        socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
      });
    }

    it('is version 1.2 or later, for HTTP/2 only', async () => {
      expect(await handshake({ maxVersion: 'TLSv1.2' })).toBe('h2');
      expect(await handshake({})).toBe('h2');
      const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      expect(await handshake(old)).toMatch(/^(ERR_SSL|ECONNRESET)/);
      const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' } as const;
      expect(await handshake(weak)).toMatch(/^(ERR_SSL|ECONNRESET)/);
    });

    it('ends the handshake of those without a certificate, where one is required', async () => {
      for (const certificate of [undefined, await (await createAuthority()).issue({ use: 'client' })]) {
        const connection = connectPresenting(server.address, server.authority, certificate);
        expect(
          await refusalOf(createClient(Health, connection).check({}, { timeoutMs: 20_000 })),
        ).toMatchObject({
          code: 'UNAVAILABLE',
        });
        connection.close();
      }
      expect(await createClient(Health, server.connection).check({})).toBeTruthy();
    });

    it('has no reflection where the settings switch it off', async () => {
      const answers = createClient(ServerReflection, server.connection).serverReflectionInfo(
        (async function* () {
          yield { messageRequest: { case: 'listServices' as const, value: '' } };
        })(),
      );
      const first = (async () => {
        for await (const answer of answers) return answer;
        return undefined;
      })();
      expect(await refusalOf(first)).toMatchObject({ code: 'UNIMPLEMENTED' });
    });
  });
});

describe('keys of an issuer', () => {
  const issuer = { issuer: 'https://login.example', audience: 'callpass' };
  const jwt = (entry: object) => ({ CALLPASS_IDENTITY_JWT: JSON.stringify([{ ...issuer, ...entry }]) });

  it.each([
    [{}, /either jwksUrl or jwksFile/],
    [{ jwksUrl: 'http://login.example/keys' }, /https/],
    [{ jwksUrl: 'https://login.example/keys', jwksFile: 'x' }, /either jwksUrl or jwksFile/],
    [{ jwksUrl: 'https://login.example/keys', algorithms: ['none'] }, /identity\.jwt/],
    [{ jwksUrl: 'https://login.example/keys', algorithms: ['HS256'] }, /identity\.jwt/],
    [{ jwksFile: '/nowhere/jwks.json' }, /there is no such file/],
  ])('%j stops the start', async (entry, message) => {
    await expect((async () => start(jwt(entry)))()).rejects.toThrow(message);
  });

  it('may be in a file, which must hold keys', async () => {
    await expect(start(jwt({ jwksFile: files.nonsense }))).rejects.toThrow(/identity\.jwt: .*nonsense/);
  });
});

it('an operator of the settings has one identity, of a kind that there is', async () => {
  const operators = (entry: object) => ({ CALLPASS_ACCESS_OPERATORS: JSON.stringify([entry]) });
  for (const entry of [
    {},
    { spiffeId: 'x' },
    { tokenSha256: 'abc' },
    { dnsName: 'a', commonName: 'b' },
    { email: 'a' },
  ])
    await expect((async () => start(operators(entry)))()).rejects.toThrow(/access\.operators/);
});
