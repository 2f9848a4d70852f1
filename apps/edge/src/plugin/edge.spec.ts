import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import fastify from 'fastify';
import { createInMemoryCredentialClient } from '@callpass/client/testing';
import { CREDENTIALS, lastSubject, ORIGIN, startTestEdge, type TestEdge } from '../testing/test-edge.ts';
import { callpassEdge } from './edge.ts';
import type { EdgeOptions } from './options.ts';

let edge: TestEdge;
afterEach(() => edge.app.close());
const start = async (options?: Partial<EdgeOptions>) => {
  edge = await startTestEdge(options);
  return edge;
};
const json = { 'content-type': 'application/json' };

describe('POST /v1/destinations/{id}/credentials', () => {
  it('answers with what makeAnonymous takes, and until when it is good', async () => {
    const { issue } = await start();
    const answer = await issue();
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      issuanceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      callee: 'support@test.example',
      credentials: {
        accountToken: expect.stringMatching(/./),
        fromToken: expect.stringMatching(/./),
        toToken: expect.stringMatching(/./),
        realm: 'test.example',
      },
      callOptions: { from: 'anonymous@test.example' },
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
      refreshAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it('answers with empty credentials, and no expiry, where calls are unrestricted', async () => {
    const { send } = await start();
    const answer = await send({ method: 'POST', url: '/v1/destinations/lobby/credentials' });
    expect(answer.json()).toEqual({
      issuanceId: expect.any(String),
      callee: 'support@test.example',
      credentials: {},
      callOptions: { from: 'anonymous@test.example' },
    });
  });

  it('passes callee and caller on, and an Idempotency-Key as request id, so that a repetition issues nothing new', async () => {
    const { issue, client } = await start();
    const key = '0b2f6f5e-7c1b-4f6a-9a55-0d6f0f3f1a11';
    const payload = { callee: 'a@x.example', caller: 'b@x.example' };
    const first = await issue({ 'idempotency-key': key, ...json }, { payload });
    const again = await issue({ 'idempotency-key': `"${key}"`, ...json }, { payload });
    expect(client.calls[0]?.request).toMatchObject({ ...payload, destination: 'support', requestId: key });
    expect(again.json()).toEqual(first.json());
  });

  it('answers a retry with the same Idempotency-Key alike where the browser has sent no cookie', async () => {
    const { issue, client } = await start({ visitor: { secrets: ['s'.repeat(32)] } });
    const key = '0b2f6f5e-7c1b-4f6a-9a55-0d6f0f3f1a11';
    const first = await issue({ 'idempotency-key': key });
    const again = await issue({ 'idempotency-key': `"${key}"` });
    expect([first.statusCode, again.statusCode]).toEqual([200, 200]);
    expect(again.json()).toEqual(first.json());
    expect(again.headers['set-cookie']).toBe(first.headers['set-cookie']);
    const [cookie = ''] = String(first.headers['set-cookie']).split(';');
    expect((await issue({ 'idempotency-key': key, cookie })).json()).toEqual(first.json());
    const subjects = client.calls.map(({ request }) => (request as { subject: string }).subject);
    expect(new Set(subjects).size).toBe(1);
    expect(subjects[0]).toMatch(/^[\w-]{22}$/);
  });

  it('answers a retry without a cookie alike for any key in any form, and as another visitor for another key', async () => {
    const { issue, client } = await start({ limits: { perAddress: 1_000_000 } });
    const form = fc.constantFrom<(key: string) => string>(
      (key) => key,
      (key) => key.toUpperCase(),
      (key) => `"${key}"`,
      (key) => `"${key.toUpperCase()}"`,
    );
    await fc.assert(
      fc.asyncProperty(fc.uuid(), form, form, fc.uuid(), async (key, write, rewrite, other) => {
        fc.pre(key !== other);
        const first = await issue({ 'idempotency-key': write(key) });
        const subject = lastSubject(client);
        const again = await issue({ 'idempotency-key': rewrite(key) });
        expect([first.statusCode, again.statusCode]).toEqual([200, 200]);
        expect(again.json()).toEqual(first.json());
        expect(lastSubject(client)).toBe(subject);
        await issue({ 'idempotency-key': write(other) });
        expect(lastSubject(client)).not.toBe(subject);
      }),
      { numRuns: 50 },
    );
  });

  it('takes two keys for two visitors, and a key for different visitors under different secrets', async () => {
    const key = '0b2f6f5e-7c1b-4f6a-9a55-0d6f0f3f1a11';
    const subjectOf = async (secret: string, sent: string) => {
      const { app, client, issue } = await startTestEdge({ visitor: { secrets: [secret.repeat(32)] } });
      await issue({ 'idempotency-key': sent });
      await app.close();
      return lastSubject(client);
    };
    await start();
    const subjects = [
      await subjectOf('s', key),
      await subjectOf('t', key),
      await subjectOf('s', key.replace('0b', '0c')),
    ];
    expect(new Set(subjects).size).toBe(3);
    expect(await subjectOf('s', key)).toBe(subjects[0]);
  });

  it.each([
    ['a member that is not known', { payload: '{"canary":1}' }, 400, 'REQUEST_INVALID'],
    ['a callee that is no address', { payload: '{"callee":"canary"}' }, 400, 'REQUEST_INVALID'],
    ['a number for a text', { payload: '{"callee":7}' }, 400, 'REQUEST_INVALID'],
    ['a list', { payload: '[]' }, 400, 'REQUEST_INVALID'],
    ['half a JSON text', { payload: '{"callee":"canary' }, 400, 'REQUEST_INVALID'],
    ['a poisoned prototype', { payload: '{"__proto__":{"canary":1}}' }, 400, 'REQUEST_INVALID'],
    ['a body over the limit', { payload: `{"callee":"${'canary'.repeat(1000)}"}` }, 413, 'BODY_TOO_LARGE'],
    [
      'a form',
      { payload: 'callee=canary', type: 'application/x-www-form-urlencoded' },
      415,
      'CONTENT_TYPE_NOT_SUPPORTED',
    ],
    ['plain text', { payload: '{}', type: 'text/plain' }, 415, 'CONTENT_TYPE_NOT_SUPPORTED'],
    [
      'a destination that is none',
      { payload: '{}', url: '/v1/destinations/Canary%20/credentials' },
      400,
      'REQUEST_INVALID',
    ],
    ['an Idempotency-Key that is no UUID', { payload: '{}', key: 'canary' }, 400, 'REQUEST_INVALID'],
  ])(
    'refuses %s with a problem, issues nothing and says nothing back',
    async (_what, bad, status, reason) => {
      const { send, client } = await start();
      const { payload, type = 'application/json', url = CREDENTIALS, key } = bad as Record<string, string>;
      const headers = { 'content-type': type, ...(key === undefined ? {} : { 'idempotency-key': key }) };
      const answer = await send({ method: 'POST', url, headers, payload: payload ?? '' });
      expect(answer.statusCode).toBe(status);
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(answer.json()).toMatchObject({
        status,
        reason,
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      });
      expect(answer.body.toLowerCase()).not.toContain('canary');
      expect(client.calls).toEqual([]);
    },
  );

  it.each<[string, string | Buffer, string]>([
    ['half of a surrogate pair', '{"callee":"\\ud800@b.example"}', 'body/callee'],
    ['the other half', '{"caller":"a@\\udfff.example"}', 'body/caller'],
    ['bytes that are no UTF-8', Buffer.from('{"callee":"caf\xe9@b.example"}', 'latin1'), 'body'],
    ['half of a pair as CESU-8 has it', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'body'],
    ['UTF-8 that is cut off', Buffer.from([0x22, 0xe2, 0x82, 0x22]), 'body'],
  ])('refuses %s, naming where, instead of issuing for another text', async (_what, payload, field) => {
    const { issue, client } = await start();
    const answer = await issue(json, { payload });
    expect([answer.statusCode, answer.json().reason]).toEqual([400, 'REQUEST_INVALID']);
    expect(answer.json().violations).toMatchObject([{ field }]);
    expect(client.calls).toEqual([]);
  });

  it('takes any text that is Unicode', async () => {
    const { issue, client } = await start();
    await issue(json, { payload: '{"callee":"\\ud83d\\ude00@b.example","caller":"\u{1f600}@b.example"}' });
    expect(client.calls[0]?.request).toMatchObject({
      callee: '\u{1f600}@b.example',
      caller: '\u{1f600}@b.example',
    });
  });

  it('takes an empty body, also one that says it is JSON', async () => {
    const { issue } = await start();
    expect((await issue(json)).statusCode).toBe(200);
    expect((await issue(json, { payload: 'null' })).statusCode).toBe(200);
  });
});

describe('the compatibility routes of the vendor’s sample servers', () => {
  const tokens = {
    accountToken: expect.stringMatching(/./),
    fromToken: expect.stringMatching(/./),
    toToken: expect.stringMatching(/./),
  };

  it('/callparameters answers as the Express server does', async () => {
    const { send, client } = await start({ compatibilityRoutes: { defaultDestination: 'support' } });
    const answer = await send({ url: '/callparameters' });
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.json()).toEqual({
      realm: 'test.example',
      ...tokens,
      caller: 'anonymous@test.example',
      callee: 'support@test.example',
    });
    await send({ url: '/callparameters?destination=sales' });
    expect(client.calls.map(({ request }) => (request as { destination?: string }).destination)).toEqual([
      'support',
      'sales',
    ]);
  });

  it.each(['/actg/token', '/actg/token/'])('%s answers as ACTG does, by its identifiers', async (path) => {
    const { send, client } = await start({
      compatibilityRoutes: { identifiers: { 'Front Desk': 'support' } },
    });
    const answer = await send({ url: path, query: { identifier: 'Front Desk' } });
    expect(answer.json()).toEqual({ ...tokens, tokenRealm: 'test.example' });
    await send({ url: `${path}?identifier=sales` });
    expect(client.calls.map(({ request }) => (request as { destination?: string }).destination)).toEqual([
      'support',
      'sales',
    ]);
  });

  it('answer errors as errors: the vendor’s page would call unrestricted after a 200', async () => {
    const { send, client } = await start();
    client.refuseNext({ reason: 'CLIENT_NOT_GRANTED' });
    const unknown = await send({ url: '/actg/token?identifier=nobody' });
    expect([unknown.statusCode, unknown.json().reason]).toEqual([403, 'CLIENT_NOT_GRANTED']);
    const unrestricted = await send({ url: '/callparameters?destination=lobby' });
    expect([unrestricted.statusCode, unrestricted.json().reason]).toEqual([409, 'DESTINATION_UNRESTRICTED']);
    for (const url of ['/callparameters', '/actg/token', '/callparameters?destination=a&destination=b']) {
      expect((await send({ url })).json()).toMatchObject({ status: 400, reason: 'REQUEST_INVALID' });
    }
  });

  it('issue nothing for a HEAD', async () => {
    const { send, client } = await start({ compatibilityRoutes: { defaultDestination: 'support' } });
    for (const url of ['/callparameters', '/actg/token']) {
      expect((await send({ method: 'HEAD', url })).statusCode).toBe(404);
    }
    expect(client.calls).toEqual([]);
  });
});

describe('origins', () => {
  const preflight = (origin: string) => ({
    origin,
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'cache-control,content-type',
  });
  const corsHeaders = (headers: object) =>
    Object.keys(headers).filter((name) => name.startsWith('access-control-'));

  it('a listed one may read answers with its visitor, problems too', async () => {
    const { issue, send, client } = await start();
    client.refuseNext({ reason: 'FROZEN' });
    for (const answer of [await issue({ origin: ORIGIN }), await issue({ origin: ORIGIN })]) {
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': ORIGIN,
        'access-control-allow-credentials': 'true',
        vary: expect.stringMatching(/Origin/i),
      });
    }
    const asked = await send({
      method: 'OPTIONS',
      url: '/actg/token?identifier=x',
      headers: preflight(ORIGIN),
    });
    expect(asked.statusCode).toBe(204);
    const allowed = String(asked.headers['access-control-allow-headers']).split(', ');
    expect(allowed).toEqual(expect.arrayContaining(['content-type', 'cache-control', 'traceparent']));
    expect(asked.headers['access-control-allow-origin']).toBe(ORIGIN);
  });

  it.each(['https://evil.example', 'https://www.example.org.evil.example', 'http://www.example.org', 'null'])(
    '%s gets no CORS header, and nothing is issued for it',
    async (origin) => {
      const { issue, send, client } = await start();
      const answer = await issue({ origin });
      expect([answer.statusCode, answer.json().reason]).toEqual([403, 'ORIGIN_NOT_ALLOWED']);
      expect(corsHeaders(answer.headers)).toEqual([]);
      expect(answer.headers.vary).toMatch(/Origin/i);
      const asked = await send({ method: 'OPTIONS', url: CREDENTIALS, headers: preflight(origin) });
      expect(asked.statusCode).toBe(404);
      expect(corsHeaders(asked.headers)).toEqual([]);
      expect(client.calls).toEqual([]);
    },
  );

  it('images and links of other sites issue nothing; programs and pages of the edge itself may ask', async () => {
    const { send, issue, client } = await start({ compatibilityRoutes: { defaultDestination: 'support' } });
    const image = await send({ url: '/callparameters', headers: { 'sec-fetch-site': 'cross-site' } });
    expect(image.statusCode).toBe(403);
    expect(client.calls).toEqual([]);
    expect((await issue()).statusCode).toBe(200);
    expect((await issue({ host: 'edge.example', origin: 'http://edge.example' })).statusCode).toBe(200);
    expect((await issue({ host: 'edge.example', origin: 'https://edge.example' })).statusCode).toBe(403);
  });

  const own: [host: string, origin: string, scheme: 'http' | 'https'][] = [
    ['edge.example:80', 'http://edge.example', 'http'],
    ['edge.example:443', 'https://edge.example', 'https'],
    ['EDGE.Example', 'https://edge.example', 'https'],
    ['Edge.Example:443', 'https://edge.example', 'https'],
    ['edge.example', 'https://edge.example:443', 'https'],
    ['edge.example', 'HTTPS://Edge.Example', 'https'],
    ['edge.example:8443', 'https://edge.example:8443', 'https'],
    ['[2001:DB8::1]:443', 'https://[2001:db8::1]', 'https'],
  ];
  it.each(own)(
    'host %s is the own origin of a page of %s, behind a proxy too',
    async (host, origin, scheme) => {
      const { issue } = await start({ trustedProxies: ['127.0.0.1'] });
      const forwarded = { host, origin, 'x-forwarded-proto': scheme };
      expect((await issue(forwarded)).statusCode).toBe(200);
      expect(
        (await issue({ ...forwarded, 'x-forwarded-proto': `http, ${scheme.toUpperCase()}` })).statusCode,
      ).toBe(200);
    },
  );

  it.each([
    ['edge.example:80', 'https://edge.example', 'https'],
    ['edge.example:443', 'http://edge.example', 'http'],
    ['edge.example:8443', 'https://edge.example', 'https'],
    ['edge.example', 'https://edge.example:8443', 'https'],
    ['edge.example', 'https://edge.example.evil.example', 'https'],
    ['edge.example', 'https://edge.example/', 'https'],
    ['edge.example', 'https://user@edge.example', 'https'],
    ['edge.example/', 'https://edge.example', 'https'],
    ['evil.example@edge.example', 'https://edge.example', 'https'],
    ['', 'https://edge.example', 'https'],
    ['edge.example', 'null', 'https'],
    ['edge.example', '', 'https'],
  ])('host %s is not the own origin of a page of %s', async (host, origin, scheme) => {
    const { issue, client } = await start({ trustedProxies: ['127.0.0.1'] });
    const answer = await issue({ host, origin, 'x-forwarded-proto': scheme });
    expect([answer.statusCode, answer.json().reason]).toEqual([403, 'ORIGIN_NOT_ALLOWED']);
    expect(client.calls).toEqual([]);
  });

  it('host and origin of any form are compared as browsers compare them', async () => {
    const { issue } = await start({ trustedProxies: ['127.0.0.1'], limits: { perAddress: 1_000_000 } });
    const scheme = fc.constantFrom('http' as const, 'https' as const);
    const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?$/);
    const name = fc.oneof(
      fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
      fc.ipV4(),
      fc.constantFrom('[2001:db8::1]', '[::1]'),
    );
    const port = fc.option(fc.constantFrom(80, 443, 8443), { nil: undefined });
    const capitals = fc.func(fc.boolean());
    const place = fc.record({ scheme, name, port });
    const written = (
      { name, port }: { name: string; port?: number | undefined },
      isCapital: (at: number) => boolean,
    ) =>
      [...name].map((char, at) => (isCapital(at) ? char.toUpperCase() : char)).join('') +
      (port === undefined ? '' : `:${port}`);
    const portOf = (scheme: 'http' | 'https', port?: number) => port ?? (scheme === 'http' ? 80 : 443);
    await fc.assert(
      fc.asyncProperty(place, place, fc.boolean(), capitals, async (own, other, isSame, isCapital) => {
        const asking = isSame ? { ...own, port: other.port } : other;
        const headers = {
          host: written(own, isCapital),
          'x-forwarded-proto': own.scheme,
          origin: `${asking.scheme}://${written(asking, (at) => isCapital(at + 1))}`,
        };
        const isOwn =
          asking.scheme === own.scheme &&
          asking.name === own.name &&
          portOf(asking.scheme, asking.port) === portOf(own.scheme, own.port);
        expect([headers, (await issue(headers)).statusCode]).toEqual([headers, isOwn ? 200 : 403]);
      }),
      { numRuns: 150 },
    );
  });

  it('one that is none stops the start', async () => {
    await start();
    for (const origin of [
      'https://www.example.org/',
      'www.example.org',
      'https://www.example.org:443',
      'https://WWW.example.org',
      'ftp://www.example.org',
      '*',
      'https://www.example.org/page',
    ]) {
      await expect(startTestEdge({ origins: [origin] })).rejects.toThrow(/not an origin/);
    }
  });
});

it('nothing is kept or shown elsewhere, whatever the answer', async () => {
  const { issue, send, client } = await start();
  client.refuseNext({ reason: 'INTERNAL' });
  const answers = [
    await issue(),
    await issue(),
    await send({ url: '/callparameters' }),
    await send({ url: '/healthz' }),
  ];
  for (const { headers } of answers) {
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
    });
  }
});

describe('limits of the edge', () => {
  it('one address may ask so often, then 429 with Retry-After, and the service is not asked', async () => {
    const { issue, client } = await start({ limits: { perAddress: 2 } });
    await issue();
    await issue();
    const answer = await issue({ origin: ORIGIN });
    expect([answer.statusCode, answer.json().reason]).toEqual([429, 'TOO_MANY_REQUESTS']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(answer.headers['access-control-allow-origin']).toBe(ORIGIN);
    expect(client.calls).toHaveLength(2);
    expect((await issue({}, { remoteAddress: '192.0.2.7' })).statusCode).toBe(200);
  });

  it('one visitor may ask so often, wherever they are, and others are not held back', async () => {
    const { issue } = await start({ limits: { perVisitor: 1 } });
    const cookie = String((await issue()).headers['set-cookie']).split(';')[0] ?? '';
    expect((await issue({ cookie })).statusCode).toBe(200);
    expect((await issue({ cookie }, { remoteAddress: '192.0.2.7' })).statusCode).toBe(429);
    expect((await issue()).statusCode).toBe(200);
  });

  it('each answer says what is left, before the limit and at it, so that a page need not run into it', async () => {
    const { issue, send } = await start({ limits: { perAddress: 3, perVisitor: 1, windowMs: 60_000 } });
    const cookie = String((await issue()).headers['set-cookie']).split(';')[0] ?? '';
    const known = await issue({ cookie });
    expect(known.statusCode).toBe(200);
    expect(known.headers['ratelimit-policy']).toBe('"address";q=3;w=60, "visitor";q=1;w=60');
    expect(known.headers['ratelimit']).toBe('"address";r=1;t=60, "visitor";r=0;t=60');
    const refused = await issue({ cookie });
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['ratelimit']).toBe('"address";r=0;t=60, "visitor";r=0;t=60');
    const atAddress = await issue();
    expect(atAddress.statusCode).toBe(429);
    expect(atAddress.headers['ratelimit-policy']).toBe('"address";q=3;w=60');
    expect(atAddress.headers['ratelimit']).toBe('"address";r=0;t=60');
    expect((await send({ url: '/healthz' })).headers).not.toHaveProperty('ratelimit');
  });

  it('addresses of one IPv6 network count as one', async () => {
    const { issue } = await start({ limits: { perAddress: 1 } });
    expect((await issue({}, { remoteAddress: '2001:db8:1:2::1' })).statusCode).toBe(200);
    expect((await issue({}, { remoteAddress: '2001:db8:1:2:ffff::2' })).statusCode).toBe(429);
    expect((await issue({}, { remoteAddress: '2001:db8:1:3::1' })).statusCode).toBe(200);
  });
});

describe('what the service refuses', () => {
  it('becomes a problem with its reason, its trace and when to come back', async () => {
    const { issue, client } = await start();
    client.refuseNext({
      reason: 'LIMIT_EXCEEDED',
      retryAfterMs: 1500,
      metadata: { traceId: 'a'.repeat(32) },
    });
    const answer = await issue();
    expect(answer.statusCode).toBe(429);
    expect(answer.headers['retry-after']).toBe('2');
    expect(answer.json()).toEqual({
      type: 'urn:callpass:problem:LIMIT_EXCEEDED',
      title: expect.any(String),
      status: 429,
      reason: 'LIMIT_EXCEEDED',
      traceId: 'a'.repeat(32),
      retryAfter: 2,
    });
  });

  it('names its reason by the page about it, where the documentation is served', async () => {
    const { issue, client } = await start({ documentationUrl: 'https://git.example/callpass' });
    client.refuseNext({ reason: 'FROZEN' });
    expect((await issue()).json().type).toBe('https://git.example/callpass/docs/errors.md#frozen');
    const foreign = await issue({ origin: 'https://evil.example' });
    expect(foreign.json().type).toBe('https://git.example/callpass/docs/guides/edge.md#origin_not_allowed');
  });

  it('says when a closed destination opens, and nothing else that was meant for operators', async () => {
    const { issue, client } = await start();
    const metadata = { opensAt: '2026-03-03T08:00:00Z', realm: 'canary' };
    client.refuseNext({ reason: 'DESTINATION_CLOSED', metadata });
    const answer = await issue();
    expect(answer.json()).toMatchObject({
      status: 403,
      reason: 'DESTINATION_CLOSED',
      opensAt: metadata.opensAt,
    });
    expect(answer.body).not.toContain('canary');
  });

  it('shows nothing of how the service is reached where it is not', async () => {
    const { issue, client } = await start();
    client.refuseNext({ message: 'connect ECONNREFUSED canary:50051' });
    const answer = await issue();
    expect(answer.json()).toMatchObject({ status: 503, reason: 'SERVICE_UNREACHABLE' });
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.body).not.toContain('canary');
  });

  it('answers alike for a destination that is not there and one that is not granted', async () => {
    const { issue, client } = await start();
    client.refuseNext({ reason: 'DESTINATION_UNKNOWN' });
    client.refuseNext({ reason: 'CLIENT_NOT_GRANTED' });
    const [unknown, notGranted] = [(await issue()).json(), (await issue()).json()];
    expect({ ...unknown, traceId: '' }).toEqual({ ...notGranted, traceId: '' });
    expect(unknown.status).toBe(403);
  });
});

describe('probes', () => {
  it.each([
    [
      'CLIENT_UNKNOWN',
      'the service does not recognise this edge; its operator has to look at the credentials of the edge',
    ],
    ['CLIENT_NOT_GRANTED', 'the service grants this edge no destination; its operator has to grant one'],
    ['FROZEN', 'an operator has stopped this; ask who runs this page'],
    ['LEDGER_UNAVAILABLE', 'nothing can be issued now; try again a little later'],
    ['METHOD_UNKNOWN', 'the service does not accept calls of this edge; compare the versions of both'],
  ] as const)('are not ready while the service would refuse: %s', async (reason, title) => {
    const { send, client } = await start();
    client.refuseNext({ reason });
    const answer = await send({ url: '/readyz' });
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ status: 503, reason, title });
    expect((await send({ url: '/healthz' })).json()).toEqual({ status: 'ok' });
  });

  it('are ready while the service would issue, which strangers make the edge ask once a second at most', async () => {
    const { send, client } = await start();
    const answers = await Promise.all(Array.from({ length: 50 }, () => send({ url: '/readyz' })));
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['{"status":"ready"}']));
    expect(client.calls.map(({ method }) => method)).toEqual(['checkIssuing']);
  });

  it.each([
    ['says no', () => Promise.resolve(false)],
    ['fails', () => Promise.reject(new Error('canary'))],
  ])('are not ready while what the host adds %s, and the service is not asked', async (_what, isReady) => {
    const { send, client } = await start({ isReady });
    const answer = await send({ url: '/readyz' });
    expect([answer.statusCode, answer.json()]).toEqual([
      503,
      expect.objectContaining({ reason: 'NOT_READY' }),
    ]);
    expect(answer.body).not.toContain('canary');
    expect(client.calls).toEqual([]);
  });
});

it('describes its routes as OpenAPI, under the prefix that they have', async () => {
  const { send } = await start();
  const host = fastify();
  await host.register(callpassEdge, { prefix: '/calls', client: createInMemoryCredentialClient() });
  const answer = await send({ url: '/openapi.json' });
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  const { openapi, servers, paths } = answer.json();
  expect([openapi, servers]).toEqual(['3.1.0', [{ url: '/' }]]);
  expect(Object.keys(paths)).toContain('/v1/destinations/{id}/credentials');
  expect((await host.inject({ url: '/calls/openapi.json' })).json().servers).toEqual([{ url: '/calls' }]);
  await host.close();
});

it('keeps its hooks, parsers and errors to itself when it is mounted under a prefix', async () => {
  await start();
  const client = createInMemoryCredentialClient();
  const host = fastify();
  await host.register(callpassEdge, {
    prefix: '/calls',
    client,
    humanCheck: { verify: () => false, challenge: () => ({}) },
  });
  host.post('/own', async (request) => ({ got: request.body }));
  const own = await host.inject({
    method: 'POST',
    url: '/own',
    payload: 'text',
    headers: { 'content-type': 'text/plain' },
  });
  expect(own.json()).toEqual({ got: 'text' });
  expect(own.headers).not.toHaveProperty('content-security-policy');
  expect((await host.inject({ url: '/canary' })).json()).toMatchObject({ error: 'Not Found' });
  const refused = await host.inject({ method: 'POST', url: `/calls${CREDENTIALS}` });
  expect(refused.json()).toMatchObject({
    reason: 'HUMAN_CHECK_REQUIRED',
    challenge: '/calls/v1/human-check',
  });
  await host.close();
});

it('answers what is not there under its prefix with a problem that a listed page can read', async () => {
  await start();
  const host = fastify();
  await host.register(callpassEdge, {
    prefix: '/calls',
    client: createInMemoryCredentialClient(),
    origins: [ORIGIN],
  });
  const headers = { origin: ORIGIN };
  const missing = await host.inject({ url: '/calls/canary', headers });
  expect(missing.json()).toMatchObject({ status: 404, reason: 'NOT_FOUND' });
  const wrong = await host.inject({ method: 'DELETE', url: `/calls${CREDENTIALS}`, headers });
  expect(wrong.json()).toMatchObject({ status: 405, reason: 'METHOD_NOT_ALLOWED' });
  expect(wrong.headers['allow']).toBe('POST');
  for (const answer of [missing, wrong]) {
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-expose-headers': 'retry-after, date, ratelimit, ratelimit-policy',
      'content-type': 'application/problem+json; charset=utf-8',
    });
  }
  await host.close();
});

it('asks the service for a visitor, never for nobody', async () => {
  const { issue, client } = await start();
  await issue();
  expect(lastSubject(client)).toMatch(/^[\w-]{22}$/);
});
