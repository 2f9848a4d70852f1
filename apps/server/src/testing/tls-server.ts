import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, type Authority, type CertifiedKey } from '@callpass/dev-certificates';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import type { Logger } from '@callpass/program/log';
import { presenting } from './presented.ts';
import { START_MS, startTestServer, type TestServer } from './test-server.ts';

/** The issuer of the tokens of {@link TlsServer.jwt}. */
export const ISSUER = 'https://login.example';
/** The audience that the server wants. */
export const AUDIENCE = 'callpass';

/** A server with TLS, an authority for client certificates, an issuer of JWTs, and an operator whom the settings name. */
export interface TlsServer extends TestServer {
  readonly authority: Authority;
  /** The certificate that the settings make an operator, `spiffe://test/operator`. The server's own clients present it. */
  readonly operator: CertifiedKey;
  /** The folder of `tls.crt`, `tls.key`, `ca.crt` and `jwks.json`. */
  readonly folder: string;
  /** Key that the issuer signs with, under the key id `one`. */
  readonly issuerKey: CryptoKey;
  /** A token of the issuer, an hour valid by the server's clock, with other claims where they are given. */
  jwt(claims: Record<string, unknown>, key?: CryptoKey): Promise<string>;
}

/** Starts one. */
export async function startTlsServer(
  options: { environment?: Readonly<Record<string, string>>; log?: Logger } = {},
): Promise<TlsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-tls-'));
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const authority = await createAuthority();
  const served = await authority.issue({ names: ['localhost', '127.0.0.1'], use: 'server' });
  const operator = await authority.issue({ uris: ['spiffe://test/operator'], use: 'client' });
  const keys = await generateKeyPair('ES256', { extractable: true });
  const publicKey = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256' };
  const server = await startTestServer({
    environment: {
      CALLPASS_ACCESS_LOCAL: 'none',
      CALLPASS_ACCESS_OPERATORS: '[{ name: alice, spiffeId: "spiffe://test/operator" }]',
      CALLPASS_TLS_CERT_FILE: file('tls.crt', served.cert),
      CALLPASS_TLS_KEY_FILE: file('tls.key', served.key),
      CALLPASS_TLS_CLIENT_CA_FILE: file('ca.crt', authority.cert),
      CALLPASS_IDENTITY_JWT: JSON.stringify([
        {
          issuer: ISSUER,
          audience: AUDIENCE,
          jwksFile: file('jwks.json', JSON.stringify({ keys: [publicKey] })),
        },
      ]),
      ...options.environment,
    },
    ...(options.log && { log: options.log }),
    connect: presenting(authority, operator),
  });
  return {
    ...server,
    authority,
    operator,
    folder,
    issuerKey: keys.privateKey,
    jwt: (claims, key = keys.privateKey) =>
      new SignJWT({ iss: ISSUER, aud: AUDIENCE, exp: START_MS / 1000 + 3600, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .sign(key),
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A static bearer token and what the document holds of it. */
export function staticToken(): { token: string; sha256: string } {
  const token = randomBytes(32).toString('base64url');
  return { token, sha256: createHash('sha256').update(token).digest('hex') };
}
