import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { pino } from 'pino';
import { AuthenticationRefusal } from './fault.ts';
import { createJwtVerifier, type JwtVerifier } from './jwt.ts';
import { remoteKeySet, type KeySet } from './key-set.ts';

const NOW_MS = 1_790_000_000_000;
const COOLDOWN_MS = 30_000;
const silent = pino({ level: 'silent' });

/** An issuer of tokens on the loopback. */
let http: Server;
let url: string;
let published: JWK[];
let asked: number;
let answer: (response: ServerResponse) => void;
let keys: KeySet;
let clock: { nowMs: number; now(): number };
let verifier: JwtVerifier;
let one: { privateKey: CryptoKey; publicKey: CryptoKey };

beforeEach(async () => {
  one = await generateKeyPair('ES256', { extractable: true });
  published = [await jwk('one', one.publicKey)];
  asked = 0;
  answer = (response) => response.end(JSON.stringify({ keys: published }));
  http = createServer((_request, response) => {
    asked++;
    answer(response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/keys`;
  clock = { nowMs: NOW_MS, now: () => clock.nowMs };
  keys = remoteKeySet(url, silent, clock);
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
  }: { kid?: string | null; key?: CryptoKey | Uint8Array; alg?: string } = {},
) {
  return new SignJWT({
    iss: 'https://login.example',
    aud: 'callpass',
    sub: 'edge',
    exp: NOW_MS / 1000 + 60,
    ...claims,
  })
    .setProtectedHeader(kid === null ? { alg } : { alg, kid })
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
    clock.nowMs += COOLDOWN_MS;
    await keys.readAgain();
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
    const away = remoteKeySet(url, silent, clock);
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

describe('the keys of an issuer', () => {
  // So that only what is asked after a restart is counted.
  beforeEach(() => keys.readAgain());
  const garbage = () => token({ jti: randomBytes(8).toString('hex') }, { kid: 'made-up' });
  const restart = () => {
    keys.stop();
    asked = 0;
    keys = remoteKeySet(url, silent, clock);
    verifier = createJwtVerifier(
      [{ issuer: 'https://login.example', audience: 'callpass', algorithms: ['ES256', 'RS256'], keys }],
      clock,
    );
  };

  it.each<[string, (response: ServerResponse) => void]>([
    ['a fault', (response) => response.writeHead(500).end()],
    ['a redirect', (response) => response.writeHead(302, { location: url }).end()],
    ['an ended connection', (response) => response.destroy()],
    ['no JSON', (response) => response.end('<html>')],
    ['no key set', (response) => response.end('{"keys":7}')],
    ['an empty key set', (response) => response.end('{"keys":[]}')],
  ])('are asked for once in 30 s where the answer is %s', async (_, answering) => {
    answer = answering;
    restart();
    for (const _round of [1, 2, 3]) {
      const before = asked;
      for (let turn = 0; turn < 5; turn++)
        await Promise.all(Array.from({ length: 5 }, async () => faultOf(await garbage())));
      // The first of all was asked for at the start.
      expect(asked).toBe(before === 0 ? 1 : before + 1);
      clock.nowMs += COOLDOWN_MS;
    }
  });

  it('are read no further than 256 KiB', async () => {
    let written = 0;
    const closed = Promise.withResolvers<void>();
    answer = (response) => {
      const chunk = Buffer.alloc(16_384, ' ');
      response.on('close', closed.resolve);
      const more = () => {
        while (!response.destroyed) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
      };
      more();
    };
    restart();
    expect(await faultOf(await garbage())).toBe('TOKEN_KEYS_UNAVAILABLE');
    await closed.promise;
    // The rest is in the buffers of two sockets.
    expect(written).toBeLessThan(16 * 1024 * 1024);
    expect(asked).toBe(1);
  });

  it('are waited for 3 s, also when their text trickles', async () => {
    answer = (response) => {
      const trickle = setInterval(() => response.write(' '), 100);
      response.on('close', () => {
        clearInterval(trickle);
      });
    };
    restart();
    const startedAtMs = performance.now();
    expect(await faultOf(await garbage())).toBe('TOKEN_KEYS_UNAVAILABLE');
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
  });

  it('stay in force while the issuer answers with faults', async () => {
    await verify(await token());
    answer = (response) => response.writeHead(500).end();
    clock.nowMs += COOLDOWN_MS;
    expect(await faultOf(await garbage())).toBe('TOKEN_KEYS_UNAVAILABLE');
    expect(await faultOf(await token({ jti: 'later' }))).toBe('accepted');
  });

  describe('are each tried that fit', () => {
    let two: { privateKey: CryptoKey; publicKey: CryptoKey };
    beforeEach(async () => {
      two = await generateKeyPair('ES256', { extractable: true });
    });
    const unnamed = async (key: CryptoKey) => {
      const { kid: _kid, ...rest } = await jwk('', key);
      return rest;
    };
    const byTwo = (kid: string | null) => token({}, { kid, key: two.privateKey });

    it.each<[string, () => Promise<JWK[]>, string | null]>([
      [
        'a token without kid',
        async () => [await jwk('a', one.publicKey), await jwk('b', two.publicKey)],
        null,
      ],
      [
        'two keys of one kid',
        async () => [await jwk('a', one.publicKey), await jwk('a', two.publicKey)],
        'a',
      ],
      ['one key twice', async () => [await jwk('a', two.publicKey), await jwk('a', two.publicKey)], 'a'],
      [
        'one key twice, written otherwise',
        async () => [await jwk('a', two.publicKey), { ...(await jwk('a', two.publicKey)), use: 'sig' }],
        'a',
      ],
      ['keys without kid', async () => [await unnamed(one.publicKey), await unnamed(two.publicKey)], 'a'],
      [
        'keys and token without kid',
        async () => [await unnamed(one.publicKey), await unnamed(two.publicKey)],
        null,
      ],
      [
        'a key without kid beside others',
        async () => [await jwk('a', one.publicKey), await unnamed(two.publicKey)],
        'a',
      ],
      [
        'a key among members that are none',
        async () => [null, [], 1, 'a', {}, await jwk('a', two.publicKey)] as JWK[],
        'a',
      ],
    ])('%s', async (_, set, kid) => {
      published = await set();
      restart();
      expect(await faultOf(await byTwo(kid))).toBe('accepted');
      const stranger = await generateKeyPair('ES256');
      expect(await faultOf(await token({}, { kid, key: stranger.privateKey }))).toBe('TOKEN_NOT_ACCEPTED');
      expect(asked).toBe(1);
    });

    it('but no more than 8 of them', async () => {
      const others = await Promise.all(
        Array.from({ length: 8 }, () => generateKeyPair('ES256', { extractable: true })),
      );
      const set = await Promise.all(others.map(({ publicKey }) => unnamed(publicKey)));
      published = [...set.slice(1), await unnamed(two.publicKey)];
      restart();
      expect(await faultOf(await byTwo(null))).toBe('accepted');
      published = [...set, await unnamed(two.publicKey)];
      restart();
      expect(await faultOf(await byTwo(null))).toBe('TOKEN_NOT_ACCEPTED');
    });

    it('and are read again for a token of a new key under an old kid, or under none', async () => {
      for (const kid of ['a', null]) {
        published = [kid === null ? await unnamed(one.publicKey) : await jwk(kid, one.publicKey)];
        restart();
        expect(await faultOf(await token({}, { kid }))).toBe('accepted');
        published = [kid === null ? await unnamed(two.publicKey) : await jwk(kid, two.publicKey)];
        clock.nowMs += COOLDOWN_MS;
        expect(
          await faultOf(
            await token({ jti: String(kid), exp: clock.nowMs / 1000 + 60 }, { kid, key: two.privateKey }),
          ),
        ).toBe('accepted');
        expect(asked).toBe(2);
      }
    });
  });
});
