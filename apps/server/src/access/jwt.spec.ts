import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { pino } from 'pino';
import { AuthenticationRefusal } from './fault.ts';
import { createJwtVerifier, type JwtVerifier } from './jwt.ts';
import { remoteKeySet, type KeySet } from './key-set.ts';

const NOW_MS = 1_790_000_000_000;
const silent = pino({ level: 'silent' });

/** An issuer of tokens on the loopback. */
let http: Server;
let url: string;
let published: JWK[];
let asked: number;
let keys: KeySet;
let clock: { nowMs: number; now(): number };
let verifier: JwtVerifier;
let one: { privateKey: CryptoKey; publicKey: CryptoKey };

beforeEach(async () => {
  one = await generateKeyPair('ES256', { extractable: true });
  published = [await jwk('one', one.publicKey)];
  asked = 0;
  http = createServer((_request, response) => {
    asked++;
    response.end(JSON.stringify({ keys: published }));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/keys`;
  clock = { nowMs: NOW_MS, now: () => clock.nowMs };
  keys = remoteKeySet(url, silent);
  verifier = createJwtVerifier(
    [{ issuer: 'https://login.example', audience: 'callpass', algorithms: ['ES256', 'RS256'], keys }],
    clock,
  );
});
afterEach(() => {
  keys.stop();
  http.closeAllConnections();
  http.close();
});

async function jwk(kid: string, key: CryptoKey): Promise<JWK> {
  return { ...(await exportJWK(key)), kid, alg: 'ES256' };
}

function token(
  claims: Record<string, unknown> = {},
  {
    kid = 'one',
    key = one.privateKey,
    alg = 'ES256',
  }: { kid?: string; key?: CryptoKey | Uint8Array; alg?: string } = {},
) {
  return new SignJWT({
    iss: 'https://login.example',
    aud: 'callpass',
    sub: 'edge',
    exp: NOW_MS / 1000 + 60,
    ...claims,
  })
    .setProtectedHeader({ alg, kid })
    .sign(key);
}

const verify = (text: string) => verifier.verify(text, createHash('sha256').update(text).digest());
const faultOf = async (text: string) => {
  try {
    await verify(text);
  } catch (error) {
    if (error instanceof AuthenticationRefusal) return error.fault;
    throw error;
  }
  return 'accepted';
};

describe('a JSON Web Token', () => {
  it('says who its bearer is, and the second time at once', async () => {
    const text = await token();
    expect(await verify(text)).toMatchObject({ issuer: 'https://login.example', subject: 'edge' });
    expect(verify(text)).toMatchObject({ issuer: 'https://login.example', subject: 'edge' });
    expect(asked).toBe(1);
  });

  it('is not remembered beyond its end', async () => {
    const text = await token();
    await verify(text);
    clock.nowMs += 60_000 + 6_000;
    expect(await faultOf(text)).toBe('TOKEN_EXPIRED');
  });

  it('is verified anew when the keys were read again', async () => {
    const text = await token();
    await verify(text);
    const two = await generateKeyPair('ES256', { extractable: true });
    published = [await jwk('two', two.publicKey)];
    const version = keys.version;
    // Times of reading are in milliseconds.
    while (Date.now() <= version) await new Promise((resolve) => setTimeout(resolve, 1));
    await (keys.getKey as unknown as { reload(): Promise<void> }).reload();
    expect(keys.version).toBeGreaterThan(version);
    expect(await faultOf(text)).toBe('TOKEN_NOT_ACCEPTED');
    expect(await faultOf(await token({}, { kid: 'two', key: two.privateKey }))).toBe('accepted');
  });

  it('of a made-up key does not make the issuer be asked each time', async () => {
    await verify(await token());
    for (let attempt = 0; attempt < 20; attempt++)
      expect(await faultOf(await token({ jti: String(attempt) }, { kid: `made-up-${attempt}` }))).toBe(
        'TOKEN_NOT_ACCEPTED',
      );
    expect(asked).toBe(1);
  });

  it('stays good while the issuer is away', async () => {
    await verify(await token());
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
    expect(await faultOf(await token({ jti: 'another' }))).toBe('accepted');
  });

  it('cannot be verified while the keys were never read', async () => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
    const away = remoteKeySet(url, silent);
    verifier = createJwtVerifier(
      [{ issuer: 'https://login.example', audience: 'callpass', algorithms: ['ES256'], keys: away }],
      clock,
    );
    expect(await faultOf(await token())).toBe('TOKEN_KEYS_UNAVAILABLE');
    away.stop();
  });

  it('signed with the public key as a secret is not taken', async () => {
    const secret = new TextEncoder().encode(await exportSPKI(one.publicKey));
    expect(await faultOf(await token({}, { alg: 'HS256', key: secret }))).toBe('TOKEN_NOT_ACCEPTED');
  });

  it.each([
    [{ aud: 'elsewhere' }, 'TOKEN_NOT_ACCEPTED'],
    [{ iss: 'https://evil.example' }, 'TOKEN_NOT_ACCEPTED'],
    [{ iss: 7 }, 'TOKEN_NOT_ACCEPTED'],
    [{ sub: 7 }, 'TOKEN_NOT_ACCEPTED'],
    [{ sub: undefined }, 'TOKEN_NOT_ACCEPTED'],
    [{ exp: undefined }, 'TOKEN_NOT_ACCEPTED'],
    [{ exp: NOW_MS / 1000 - 6 }, 'TOKEN_EXPIRED'],
    [{ exp: NOW_MS / 1000 - 4 }, 'accepted'],
    [{ nbf: NOW_MS / 1000 + 6 }, 'TOKEN_NOT_ACCEPTED'],
    [{ aud: ['elsewhere', 'callpass'] }, 'accepted'],
  ])('with %j is %s', async (claims, fault) => {
    expect(await faultOf(await token(claims))).toBe(fault);
  });

  it.each(['a.b.c', 'e30.e30.', `${randomBytes(30).toString('base64url')}.e30.e30`, '..', 'x'])(
    'of the form %s is no proof of anything',
    async (text) => {
      expect(await faultOf(text)).toMatch(/^(UNKNOWN|TOKEN_NOT_ACCEPTED)$/);
    },
  );
});
