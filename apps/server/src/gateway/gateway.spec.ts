import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, type Client } from '@callpass/grpc-kit';
import { createLog } from '@callpass/program/log';
import type { AttributeContext_HttpRequestSchema } from '@callpass/rpc-protos/gen/envoy/service/auth/v3/attribute_context_pb.js';
import {
  Authorization,
  type CheckResponse,
} from '@callpass/rpc-protos/gen/envoy/service/auth/v3/external_auth_pb.js';
import {
  Health,
  HealthCheckResponse_ServingStatus,
} from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { execOnFile } from '@callpass/storage/testing';
import {
  gatewayPath,
  gatewayRequest,
  MANIPULATED_REQUESTS,
  rewrittenRequests,
  startRequest,
  subscribeRequest,
  type GatewayHttp,
  type TokenSet,
} from '@callpass/testkit/manipulated-requests';
import { ownRedisServer, redisIsInstalled } from '@callpass/testkit/redis-server';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { ecbToken } from '../testing/by-hand.ts';
import { refusalOf } from '../testing/refusal.ts';
import { DOCUMENT, KEYS, startTestServer, type TestServer } from '../testing/test-server.ts';

type Http = MessageInitShape<typeof AttributeContext_HttpRequestSchema>;
type Environment = Readonly<Record<string, string>>;

const ON = { CALLPASS_AUTHORIZE_ENABLED: 'true' };
/** Time limit of a freeze, on every instance. */
const FREEZE_MS = 2000;

const logged: string[] = [];
const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });
const closing: (() => Promise<void>)[] = [];
let server: TestServer;
let door: Client<typeof Authorization>;

async function start(environment: Environment, options: Parameters<typeof startTestServer>[0] = {}) {
  const started = await startTestServer({ ...options, environment: { ...ON, ...environment } });
  closing.push(() => started.stop());
  return started;
}

const doorOf = ({ connection }: Pick<TestServer, 'connection'>) => createClient(Authorization, connection);

beforeAll(async () => {
  server = await start({ CALLPASS_LOG_REQUESTS: 'all' }, { log });
  await server.configure(DOCUMENT);
  for (const [realm, key] of Object.entries(KEYS)) await server.activateKey(realm, key);
  door = doorOf(server);
});
afterAll(async () => {
  for (const stop of closing.reverse()) await stop();
});

async function issue(destination = 'cbc', subject = ''): Promise<TokenSet> {
  server.clock.nowMs++;
  const { grant } = await server.credentials.issueCredentials({ destination, subject });
  if (grant.case !== 'timeLimited') throw new TypeError('no tokens');
  return grant.value;
}

/** Sends what Envoy sends with `pack_as_bytes`; other members where they are given. */
const ask = ({ method, path, headers, body }: GatewayHttp, more: Http = {}, by = door) =>
  by.check({
    attributes: {
      request: {
        http: { method, path, headers: { ':path': path, ...headers }, rawBody: Buffer.from(body), ...more },
      },
    },
  });

/** The cause of a refusal, or `LET_THROUGH`. */
function outcome({ status, httpResponse }: CheckResponse): string {
  if (status?.code === 0 && httpResponse.case === 'okResponse') return 'LET_THROUGH';
  if (httpResponse.case !== 'deniedResponse') throw new TypeError('neither let through nor refused');
  const { headers } = httpResponse.value;
  return headers.find(({ header }) => header?.key === 'x-callpass-reason')?.header?.value ?? '';
}
const outcomeOf = async (...asked: Parameters<typeof ask>) => outcome(await ask(...asked));

const continued = (tokens: TokenSet) => gatewayRequest('PUT', gatewayPath(tokens, '/callMe/callSessions/1'));

describe('envoy.service.auth.v3.Authorization', () => {
  it('is not there unless it is asked for', async () => {
    const closed = await startTestServer();
    try {
      expect(await refusalOf(ask(subscribeRequest(await issue()), {}, doorOf(closed)))).toMatchObject({
        code: 'UNIMPLEMENTED',
        reason: 'METHOD_UNKNOWN',
      });
    } finally {
      await closed.stop();
    }
  });

  it('has a health of its own, which Envoy can ask for', async () => {
    const health = createClient(Health, server.connection);
    const { status } = await health.check({ service: Authorization.typeName });
    expect(status).toBe(HealthCheckResponse_ServingStatus.SERVING);
  });

  it('lets every request of a fresh call through, in each form in which Envoy passes it on', async () => {
    for (const tokens of [await issue(), await issue('ecb')]) {
      const start = startRequest(tokens);
      const rawHeaders = Object.entries(start.headers).map(([key, value]) => ({
        key,
        rawValue: Buffer.from(value),
      }));
      expect(await outcomeOf(subscribeRequest(tokens))).toBe('LET_THROUGH');
      expect(await outcomeOf(start)).toBe('LET_THROUGH');
      expect(await outcomeOf(start, { rawBody: Buffer.of(), body: start.body })).toBe('LET_THROUGH');
      expect(await outcomeOf(start, { headers: {}, headerMap: { headers: rawHeaders } })).toBe('LET_THROUGH');
      expect(await outcomeOf(continued(tokens))).toBe('LET_THROUGH');
      expect(await outcomeOf(gatewayRequest('DELETE', gatewayPath(tokens, '/subscription/1')))).toBe(
        'LET_THROUGH',
      );
    }
  });

  it.each(MANIPULATED_REQUESTS)('lets nothing through of a request with %s', async (_, manipulated) => {
    const accountToken = ecbToken(KEYS['ecb.example'], `account@kandy.example;${server.clock.nowMs}`);
    const madeUp = { accountToken, realm: 'ecb.example' };
    const answer = await ask(manipulated({ a: await issue(), b: await issue(), madeUp }));
    expect(answer).toMatchObject({
      status: { code: 7 },
      httpResponse: { case: 'deniedResponse', value: { status: { code: 403 } } },
    });
    expect(outcome(answer)).toMatch(/^[A-Z_]+$/);
  });

  it.each([
    ['a byte that is no UTF-8', { rawBody: Buffer.from('{"callMeRequest":"\xff"}', 'latin1') }],
    ['a body in which Envoy may have replaced bytes', { rawBody: Buffer.of(), body: '{"a":"!"}' }],
    ['two bodies', { body: '{}' }],
    ...['true', 'false,true', '1'].map((partial): [string, Http] => [
      `the beginning of a body, said as ${partial}`,
      { headers: { 'content-type': 'application/json', 'x-envoy-auth-partial-body': partial } },
    ]),
    ['two types', { headers: { 'content-type': 'application/json,application/json' } }],
    [
      'a type in each form of headers',
      { headerMap: { headers: [{ key: 'content-type', rawValue: Buffer.from('text/plain') }] } },
    ],
  ] satisfies [string, Http][])('refuses a call with %s', async (_, more) => {
    expect(await outcomeOf(startRequest(await issue()), more)).toBe('REQUEST_NOT_UNDERSTOOD');
  });

  it('refuses what asks about no request of HTTP', async () => {
    for (const attributes of [undefined, {}, { request: {} }, { request: { http: {} } }])
      expect(outcome(await door.check({ attributes }))).toBe('REQUEST_NOT_UNDERSTOOD');
  });

  it('refuses a message larger than any such request, before it is read', async () => {
    const tokens = await issue();
    const path = gatewayPath({ ...tokens, accountToken: 'A'.repeat(65_536) }, '/callMe');
    const body = 'a'.repeat(256 * 1024);
    expect(await outcomeOf({ ...startRequest(tokens), path, body })).toBe('REQUEST_NOT_UNDERSTOOD');
    expect(await refusalOf(ask({ ...startRequest(tokens), path, body: body.repeat(2) }))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'REQUEST_TOO_LARGE',
    });
  });

  it('answers with a problem that the vendor’s SDK understands, and says nothing of the request in it', async () => {
    const tokens = await issue();
    const { status, httpResponse } = await ask(startRequest({ ...tokens, toToken: tokens.fromToken }));
    if (httpResponse.case !== 'deniedResponse') throw new TypeError('not refused');
    const { headers, body } = httpResponse.value;
    expect(status?.message).toBe('WRONG_KIND');
    expect(Object.fromEntries(headers.map(({ header }) => [header?.key, header?.value]))).toEqual({
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      'x-callpass-reason': 'WRONG_KIND',
    });
    // Not appended to those that Envoy sets itself.
    expect(new Set(headers.map(({ appendAction }) => appendAction))).toEqual(new Set([2]));
    expect(JSON.parse(body)).toMatchObject({
      type: 'urn:callpass:problem:NOT_AUTHORIZED',
      status: 403,
      reason: 'NOT_AUTHORIZED',
      authorizationResponse: { statusCode: 46 },
      callControlResponse: { statusCode: 46 },
    });
    expect(body).not.toMatch(/cbc\.example|rest|[0-9A-Z]{32}/);
  });

  it('opens nothing with an expired token, but lets a call go on', async () => {
    const tokens = await issue();
    server.clock.nowMs += 600_000;
    const answer = await ask(subscribeRequest(tokens));
    expect(outcome(answer)).toBe('EXPIRED');
    expect(answer.httpResponse.value).toHaveProperty('body', expect.stringContaining('{"statusCode":65}'));
    expect(await outcomeOf(startRequest(tokens))).toBe('EXPIRED');
    expect(await outcomeOf(continued(tokens))).toBe('LET_THROUGH');
    const foreign = ecbToken(KEYS['ecb.example'], `account@kandy.example;${server.clock.nowMs - 600_000}`);
    expect(await outcomeOf(continued({ ...tokens, accountToken: foreign, realm: 'ecb.example' }))).toBe(
      'NOT_ISSUED_HERE',
    );
  });

  it('lets a call go on for as long as its key validates after a rotation', async () => {
    const tokens = await issue();
    await server.activateKey('cbc.example', 'a-key-after-this-one-32-letters!');
    expect(await outcomeOf(continued(tokens))).toBe('LET_THROUGH');
    server.clock.nowMs += 700_000;
    expect(await outcomeOf(continued(tokens))).toBe('UNDECIPHERABLE');
  });

  it('lets a call start without its body only where the settings say that Envoy passes none on', async () => {
    const { environment, clock } = server;
    const lenient = doorOf(
      await start({ ...environment, CALLPASS_AUTHORIZE_CALL_START: 'accountToken' }, { clock }),
    );
    const [tokens, others] = [await issue(), await issue()];
    expect(await outcomeOf(startRequest(tokens), { headers: {}, rawBody: Buffer.of() })).toBe(
      'CALL_BODY_MISSING',
    );
    expect(await outcomeOf(startRequest(tokens), { headers: {}, rawBody: Buffer.of() }, lenient)).toBe(
      'LET_THROUGH',
    );
    expect(await outcomeOf(startRequest({ ...tokens, toToken: others.toToken }), {}, lenient)).toBe(
      'MISMATCHED',
    );
  });

  it('refuses what is frozen or revoked within 2 s, on another instance too', async () => {
    const { environment, clock } = server;
    const other = doorOf(await start(environment, { clock }));
    const tokens = await issue();
    const refusedWith = async (cause: string, request: GatewayHttp) => {
      const sinceMs = performance.now();
      while ((await outcomeOf(request, {}, other)) !== cause && performance.now() - sinceMs < 2 * FREEZE_MS);
      expect(performance.now() - sinceMs).toBeLessThan(FREEZE_MS);
      expect(await outcomeOf(request)).toBe(cause);
    };
    expect(await outcomeOf(startRequest(tokens), {}, other)).toBe('LET_THROUGH');
    const scope = { scope: { case: 'destination', value: 'cbc' } } as const;
    await server.admin.freeze({ scope, reason: 'test' });
    await refusedWith('FROZEN', startRequest(tokens));
    await server.admin.unfreeze({ scope });
    const version = await server.activateKey('cbc.example', 'another-key-of-exactly-32-letter');
    await server.admin.destroyRealmKey({
      realm: 'cbc.example',
      version: version - 1,
      force: true,
      reason: 'test',
    });
    await refusedWith('UNDECIPHERABLE', subscribeRequest(tokens));
  });

  it.each([
    ['realm', 'ecb.example'],
    ['destination', 'ecb'],
    ['client', 'local'],
    ['subject', 'visitor-1'],
  ] as const)('lets no token of a frozen %s through, in whatever form it is written', async (kind, value) => {
    const expired = continued(await issue('ecb', 'visitor-1'));
    server.clock.nowMs += 600_000;
    const rewritten = rewrittenRequests(await issue('ecb', 'visitor-1'));
    const scope = { scope: { case: kind, value } } as const;
    await server.admin.freeze({ scope, reason: 'test' });
    for (const request of [...rewritten, expired]) expect(await outcomeOf(request)).toBe('FROZEN');
    server.clock.nowMs += 600_000;
    for (const request of rewritten) expect(await outcomeOf(request)).toBe('FROZEN');
    await server.admin.unfreeze({ scope });
    expect(await outcomeOf(expired)).toBe('LET_THROUGH');
    expect(await outcomeOf(rewritten.at(-1) ?? gatewayRequest('GET', '/'))).toBe('LET_THROUGH');
  });

  it('lets nothing through while the store does not answer, in a form that the SDK understands', async () => {
    const tokens = await issue();
    const file = (server.environment['CALLPASS_STORE_URL'] ?? '').replace('sqlite:', '');
    execOnFile(file, 'alter table ledger rename to ledger_away');
    try {
      const answer = await ask(subscribeRequest(tokens));
      expect(outcome(answer)).toBe('SERVICE_UNAVAILABLE');
      expect(answer).toMatchObject({
        status: { code: 14 },
        httpResponse: { value: { status: { code: 503 } } },
      });
      expect(answer.httpResponse.value).toHaveProperty('body', expect.stringContaining('{"statusCode":26}'));
    } finally {
      execOnFile(file, 'alter table ledger_away rename to ledger');
    }
    expect(await outcomeOf(subscribeRequest(tokens))).toBe('LET_THROUGH');
  });

  it('has no token, path or realm of a request in the log', () => {
    const everything = logged.join('');
    expect(everything).toContain('envoy.service.auth.v3.Authorization/Check');
    expect(everything).not.toMatch(/\/rest\/version|callMe|[0-9A-F]{32}[0-9A-Za-z]{32}/);
  });
});

describe('envoy.service.auth.v3.Authorization with single use', () => {
  const startOnce = async (url: string, more: Environment = {}) => {
    const { environment, clock } = server;
    const options = { clock, log: createLog({ level: 'silent' }) };
    return doorOf(await start({ ...environment, ...more, CALLPASS_AUTHORIZE_SINGLE_USE_URL: url }, options));
  };

  it('opens one session with a token, and lets the SDK repeat what is within it', async () => {
    const once = await startOnce('memory:');
    const tokens = await issue();
    const copies = [subscribeRequest(tokens), subscribeRequest(tokens)];
    const outcomes = await Promise.all(copies.map((request) => outcomeOf(request, {}, once)));
    expect(outcomes.sort()).toEqual(['LET_THROUGH', 'TOKEN_USED']);
    const call = startRequest(tokens);
    for (const request of [call, call, continued(tokens), continued(tokens)])
      expect(await outcomeOf(request, {}, once)).toBe('LET_THROUGH');
    const elsewhere = startRequest(tokens, { notifyChannelId: 'channel-2' });
    expect(await outcomeOf(elsewhere, {}, once)).toBe('TOKEN_USED');
  });

  it('refuses or allows, as the settings say, while nobody knows what is used', async () => {
    const away = 'redis://127.0.0.1:1';
    const strict = await startOnce(away);
    const lenient = await startOnce(away, { CALLPASS_AUTHORIZE_SINGLE_USE_WHEN_UNAVAILABLE: 'allow' });
    const tokens = await issue();
    expect(await outcomeOf(subscribeRequest(tokens), {}, strict)).toBe('SERVICE_UNAVAILABLE');
    expect(await outcomeOf(continued(tokens), {}, strict)).toBe('LET_THROUGH');
    expect(await outcomeOf(subscribeRequest(tokens), {}, lenient)).toBe('LET_THROUGH');
  });

  if (redisIsInstalled('single use of tokens that servers share')) {
    it('is that of all servers of a store, which share a Redis', async () => {
      const redis = await ownRedisServer();
      closing.push(() => redis.remove());
      const [one, two] = [await startOnce(redis.url), await startOnce(redis.url)];
      const tokens = await issue();
      expect(await outcomeOf(subscribeRequest(tokens), {}, one)).toBe('LET_THROUGH');
      expect(await outcomeOf(subscribeRequest(tokens), {}, two)).toBe('TOKEN_USED');
      expect(await outcomeOf(startRequest(tokens), {}, two)).toBe('LET_THROUGH');
    });
  }
});
