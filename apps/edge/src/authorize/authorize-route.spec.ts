import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { create } from '@bufbuild/protobuf';
import type { CredentialClient } from '@callpass/client';
import { createInMemoryCredentialClient } from '@callpass/client/testing';
import { ValidateTokenResponseSchema, Verdict } from '@callpass/contract';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance, InjectOptions } from 'fastify';
import fastify from 'fastify';
import { callpassEdge } from '../plugin/edge.ts';
import { ORIGIN } from '../testing/test-edge.ts';
import { createMemorySessions } from '@callpass/program/sessions';
import type { AuthorizeOptions } from './options.ts';

const REALM = 'test.example';
const NOW_MS = 1_700_000_000_000;
const LIFETIME_MS = 600_000;

let nowMs: number;
let client: ReturnType<typeof createInMemoryCredentialClient>;
let app: FastifyInstance;
let tokens: { accountToken: string; fromToken: string; toToken: string };
let others: typeof tokens;

async function start(authorize: Partial<AuthorizeOptions> = {}, override: Partial<CredentialClient> = {}) {
  app = fastify();
  await app.register(callpassEdge, {
    client: { ...client, ...override },
    origins: [ORIGIN],
    authorize: { realms: [REALM], proxies: ['127.0.0.1'], ...authorize },
  });
}

async function issue(): Promise<typeof tokens> {
  const { grant } = await client.issueCredentials({ destination: 'support' });
  if (grant.case !== 'timeLimited') throw new TypeError('no tokens');
  return grant.value;
}

beforeEach(async () => {
  nowMs = NOW_MS;
  client = createInMemoryCredentialClient({ nowMs: () => nowMs, tokenLifetimeMs: LIFETIME_MS });
  tokens = await issue();
  others = await issue();
  await start();
});
afterEach(() => app.close());

const uriOf = (path: string, token = tokens.accountToken, realm = REALM) =>
  `/rest/version/1/anonymous/${token}${path}?tokenrealm=${realm}`;
const bodyOf = (more: object = {}) =>
  JSON.stringify({
    callMeRequest: {
      ...{ type: 'callStart', to: tokens.toToken, from: tokens.fromToken, sdp: 'v=0\r\n' },
      notifyChannelId: 'channel-1',
      ...more,
    },
  });
const original = (method: string, uri: string) => ({ 'x-original-method': method, 'x-original-uri': uri });

const refusedWith = (statusCode: number) => ({
  authorizationResponse: { statusCode },
  callControlResponse: { statusCode },
});

/** The status of an answer, with the cause of a refusal. */
async function ask(options: InjectOptions): Promise<string> {
  const { statusCode, headers } = await app.inject({ method: 'GET', url: '/v1/authorize', ...options });
  return [statusCode, headers['x-callpass-reason']].filter((part) => part !== undefined).join(' ');
}
const askOf = (method: string, path: string, token?: string, realm?: string) =>
  ask({ headers: original(method, uriOf(path, token, realm)) });
const startCall = (body: string, more: Record<string, string> = {}, method: 'GET' | 'POST' = 'POST') =>
  ask({
    method,
    headers: { ...original('POST', uriOf('/callMe')), 'content-type': 'application/json', ...more },
    payload: body,
  });

describe('/v1/authorize', () => {
  it('is not there unless it is asked for', async () => {
    await app.close();
    app = fastify();
    await app.register(callpassEdge, { client });
    expect(await askOf('POST', '/subscription')).toBe('404');
  });

  it('lets every request of a fresh call through', async () => {
    expect(await askOf('POST', '/subscription')).toBe('204');
    expect(await startCall(bodyOf())).toBe('204');
    expect(await askOf('PUT', '/callMe/callSessions/1')).toBe('204');
    expect(await askOf('PUT', '/subscription/1')).toBe('204');
    expect(await askOf('DELETE', '/callMe/callSessions/1')).toBe('204');
    expect(await askOf('DELETE', '/subscription/1')).toBe('204');
  });

  it('asks for tokens that were issued there, the account token as what it is', async () => {
    await askOf('POST', '/subscription');
    await askOf('PUT', '/callMe/callSessions/1');
    await startCall(bodyOf());
    expect(client.calls.slice(-3)).toMatchObject([
      { method: 'validateToken', request: { kind: 1, requireIssuedHere: true, ignoreExpiry: false } },
      { method: 'validateToken', request: { kind: 1, requireIssuedHere: true, ignoreExpiry: true } },
      { method: 'validateCredentials', request: { requireIssuedHere: true } },
    ]);
  });

  it('takes the headers of Traefik and Caddy, and the body of a GET, as Traefik sends it', async () => {
    const headers = {
      'x-forwarded-method': 'POST',
      'x-forwarded-uri': uriOf('/callMe'),
      'content-type': 'application/json',
    };
    expect(await ask({ headers, payload: bodyOf() })).toBe('204');
    expect(await ask({ headers, payload: bodyOf({ to: others.toToken }) })).toBe('403 MISMATCHED');
  });

  it.each([
    ['a token of another kind', () => askOf('POST', '/subscription', tokens.toToken), 'WRONG_KIND'],
    ['a token that nobody issued', () => askOf('POST', '/subscription', 'AB'.repeat(32)), 'UNDECIPHERABLE'],
    ['another realm', () => askOf('POST', '/subscription', undefined, 'else.example'), 'REALM_NOT_LISTED'],
    ['a spliced set', () => startCall(bodyOf({ to: others.toToken })), 'MISMATCHED'],
    ['swapped tokens', () => startCall(bodyOf({ to: tokens.fromToken, from: tokens.toToken })), 'WRONG_KIND'],
    ['no body', () => startCall(''), 'CALL_BODY_MISSING'],
    ['half a set', () => startCall(bodyOf({ from: undefined })), 'REQUEST_NOT_UNDERSTOOD'],
    ['a form', () => startCall(bodyOf(), { 'content-type': 'text/plain' }), 'REQUEST_NOT_UNDERSTOOD'],
    [
      'another charset',
      () => startCall(bodyOf(), { 'content-type': 'application/json; charset=utf-7' }),
      'REQUEST_NOT_UNDERSTOOD',
    ],
    ...['', 'json', 'application/json, text/plain', 'application/json;'].map(
      (type): [string, () => Promise<string>, string] => [
        `the type "${type}"`,
        () => startCall(bodyOf(), { 'content-type': type }),
        'REQUEST_NOT_UNDERSTOOD',
      ],
    ),
    ['an encoding', () => startCall(bodyOf(), { 'content-encoding': 'br' }), 'REQUEST_NOT_UNDERSTOOD'],
    ['a body over 256 KiB', () => startCall(bodyOf({ sdp: 'a'.repeat(262_144) })), 'REQUEST_NOT_UNDERSTOOD'],
    ['no header', () => ask({}), 'REQUEST_NOT_UNDERSTOOD'],
    [
      'no method',
      () => ask({ headers: { 'x-original-uri': uriOf('/subscription') } }),
      'REQUEST_NOT_UNDERSTOOD',
    ],
    [
      'a second pair of headers, which a stranger may have sent',
      () =>
        ask({
          headers: {
            ...original('POST', uriOf('/subscription')),
            'x-forwarded-uri': uriOf('/subscription'),
          },
        }),
      'REQUEST_NOT_UNDERSTOOD',
    ],
    [
      'another proxy',
      () => ask({ remoteAddress: '192.0.2.1', headers: original('POST', uriOf('/subscription')) }),
      'PROXY_NOT_LISTED',
    ],
    [
      'a preflight of a listed page',
      () =>
        ask({
          method: 'OPTIONS',
          headers: {
            ...original('POST', uriOf('/subscription')),
            origin: ORIGIN,
            'access-control-request-method': 'POST',
          },
        }),
      'REQUEST_NOT_UNDERSTOOD',
    ],
  ])('refuses %s', async (_, asked, cause) => {
    expect(await asked()).toBe(`403 ${cause}`);
  });

  it.each([
    ['content-type', ['application/json', 'text/plain']],
    ['content-encoding', ['', 'gzip']],
  ])('refuses a %s that is there twice, of which Node keeps one', async (name, values) => {
    await app.listen({ host: '127.0.0.1', port: 0 });
    const headers = { ...original('POST', uriOf('/callMe')), 'content-type': 'application/json' };
    const send = (more: Record<string, string[]>) =>
      new Promise<unknown>((resolve, reject) => {
        const { port } = app.server.address() as AddressInfo;
        const options = { host: '127.0.0.1', port, path: '/v1/authorize', method: 'POST', agent: false };
        request({ ...options, headers: { ...headers, ...more } }, (answer) => {
          answer.resume();
          resolve(answer.headers['x-callpass-reason'] ?? answer.statusCode);
        })
          .on('error', reject)
          .end(bodyOf());
      });
    expect(await send({})).toBe(204);
    expect(await send({ [name]: values })).toBe('REQUEST_NOT_UNDERSTOOD');
  });

  it('opens nothing with an expired token, but lets a call go on', async () => {
    nowMs += LIFETIME_MS;
    expect(await askOf('POST', '/subscription')).toBe('403 EXPIRED');
    expect(await startCall(bodyOf())).toBe('403 EXPIRED');
    const continuing = ['/callMe/callSessions/1', '/subscription/1'].flatMap((path) =>
      ['PUT', 'DELETE'].map((method) => [method, path] as const),
    );
    for (const asked of continuing) expect(await askOf(...asked)).toBe('204');
    expect(await askOf('PUT', '/subscription/1', tokens.toToken)).toBe('403 WRONG_KIND');
  });

  it.each(['FROZEN', 'NOT_ISSUED_HERE'] as const)(
    'does not let a call go on with a token that is %s',
    async (name) => {
      await app.close();
      await start(
        {},
        { validateToken: async () => create(ValidateTokenResponseSchema, { verdict: Verdict[name] }) },
      );
      expect(await askOf('PUT', '/callMe/callSessions/1')).toBe(`403 ${name}`);
      expect(await askOf('DELETE', '/subscription/1')).toBe(`403 ${name}`);
    },
  );

  it('lets a call start without a body only where the settings say that proxies pass none on', async () => {
    await app.close();
    await start({ callStart: 'accountToken' });
    expect(await startCall('')).toBe('204');
    expect(await startCall(bodyOf({ to: others.toToken }))).toBe('403 MISMATCHED');
  });

  it('sends NGINX to the location that continues a POST', async () => {
    await app.close();
    await start({ accelRedirect: '@webrtc_gateway' });
    const send = async (method: 'GET' | 'POST', body: string) => {
      const headers = { ...original('POST', uriOf('/callMe')), 'content-type': 'application/json' };
      const answer = await app.inject({ method, url: '/v1/authorize', headers, payload: body });
      return [answer.statusCode, answer.headers['x-accel-redirect']];
    };
    expect(await send('POST', bodyOf())).toEqual([204, '@webrtc_gateway']);
    expect(await send('GET', bodyOf())).toEqual([204, undefined]);
    expect(await send('POST', bodyOf({ to: others.toToken }))).toEqual([403, undefined]);
  });

  it('refuses while the service is away, does not answer, or does not know its newest state', async () => {
    client.refuseNext({ reason: 'STORE_UNAVAILABLE' });
    expect(await askOf('POST', '/subscription')).toBe('503 SERVICE_UNAVAILABLE');
    client.refuseNext({ reason: 'CLIENT_NOT_GRANTED' });
    expect(await startCall(bodyOf())).toBe('503 SERVICE_UNAVAILABLE');
    await app.close();
    await start(
      {},
      {
        validateToken: async () =>
          create(ValidateTokenResponseSchema, { verdict: Verdict.VALID, stale: true }),
      },
    );
    expect(await askOf('POST', '/subscription')).toBe('503 SERVICE_UNAVAILABLE');
  });

  it('says nothing of a request in its answer, which has the members that the vendor’s SDK reads', async () => {
    const bodyOfAnswer = async (token: string) => {
      const headers = original('POST', uriOf('/subscription', token));
      return (await app.inject({ url: '/v1/authorize', headers })).body;
    };
    const body = await bodyOfAnswer(tokens.toToken);
    expect(JSON.parse(body)).toMatchObject({ reason: 'NOT_AUTHORIZED', status: 403, ...refusedWith(46) });
    expect(body).not.toMatch(new RegExp(`${tokens.toToken}|subscription|${REALM}`));
    nowMs += LIFETIME_MS;
    expect(JSON.parse(await bodyOfAnswer(tokens.accountToken))).toMatchObject(refusedWith(65));
    client.refuseNext({ reason: 'STORE_UNAVAILABLE' });
    expect(JSON.parse(await bodyOfAnswer(tokens.accountToken))).toMatchObject({
      reason: 'SERVICE_UNAVAILABLE',
      ...{ subscribeResponse: { statusCode: 26 }, callControlResponse: { statusCode: 26 } },
    });
  });

  it.each([
    { realms: [] },
    { proxies: [] },
    { proxies: ['proxy.example'] },
    { accelRedirect: '/rest' },
    { accelRedirect: '@a b' },
  ])('does not start with %j', async (options) => {
    await app.close();
    await expect(start(options)).rejects.toThrow(TypeError);
  });
});

describe('/v1/authorize with single use', () => {
  const startOnce = async (
    claim = createMemorySessions().claim,
    whenUnavailable: 'refuse' | 'allow' = 'refuse',
  ) => {
    await app.close();
    await start({ singleUse: { store: { claim, close: () => undefined }, whenUnavailable } });
  };

  it('opens one session with a token, and lets the SDK repeat what is within it', async () => {
    await startOnce();
    expect(await askOf('POST', '/subscription')).toBe('204');
    expect(await startCall(bodyOf())).toBe('204');
    expect(await startCall(bodyOf({ sdp: 'v=1' }))).toBe('204');
    for (const path of ['/subscription/1', '/callMe/callSessions/1', '/callMe/callSessions/1'])
      expect(await askOf('PUT', path)).toBe('204');
    expect(await askOf('DELETE', '/subscription/1')).toBe('204');
  });

  it('opens no second one with a copy, whoever is first', async () => {
    await startOnce();
    const answers = await Promise.all([askOf('POST', '/subscription'), askOf('POST', '/subscription')]);
    expect(answers.sort()).toEqual(['204', '403 TOKEN_USED']);
    expect(await startCall(bodyOf())).toBe('204');
    expect(await startCall(bodyOf({ notifyChannelId: 'channel-2' }))).toBe('403 TOKEN_USED');
    expect(await askOf('POST', '/subscription', others.accountToken)).toBe('204');
  });

  it('is not used up by what does not verify', async () => {
    await startOnce();
    expect(await startCall(bodyOf({ to: others.toToken, notifyChannelId: 'channel-2' }))).toBe(
      '403 MISMATCHED',
    );
    expect(await startCall(bodyOf())).toBe('204');
  });

  it('refuses or allows, as the options say, while nobody knows what is used', async () => {
    const away = () => Promise.reject(new Error('away'));
    await startOnce(away);
    expect(await askOf('POST', '/subscription')).toBe('503 SERVICE_UNAVAILABLE');
    expect(await askOf('PUT', '/subscription/1')).toBe('204');
    await startOnce(away, 'allow');
    expect(await askOf('POST', '/subscription')).toBe('204');
  });
});
