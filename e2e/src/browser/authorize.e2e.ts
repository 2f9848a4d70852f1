import { createCipheriv } from 'node:crypto';
import { request } from 'node:http';
import { createAdminClient, createCredentialClient, type CredentialClient } from '@callpass/client';
import type { TimeLimitedCredentials } from '@callpass/contract';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startEdgeProcess, type EdgeProcess } from '../edge-process.ts';
import { startNginx, startRelay, type NginxServer } from '../nginx-server.ts';
import { startSandbox, type Sandbox } from '../processes.ts';
import { eventually, launchBrowser, visit } from './browser.ts';

/** Time limit of a freeze. */
const FREEZE_MS = 2000;

const closing: (() => unknown)[] = [];
const opened = <T>(value: T, close: (value: T) => unknown): T => {
  closing.push(() => close(value));
  return value;
};

let sandbox: Sandbox;
let edge: EdgeProcess;
let nginx: NginxServer;
let relay: Awaited<ReturnType<typeof startRelay>>;
let client: CredentialClient;
beforeAll(async () => {
  sandbox = opened(await startSandbox(), (it) => it.stop());
  relay = opened(await startRelay(new URL(sandbox.ready.gateway).host), (it) => it.close());
  edge = opened(
    await startEdgeProcess(sandbox.ready.grpc, {
      CALLPASS_EDGE_AUTHORIZE_REALMS: 'support.example,support-cbc.example',
      CALLPASS_EDGE_AUTHORIZE_PROXIES: '127.0.0.1',
      CALLPASS_EDGE_AUTHORIZE_ACCEL_REDIRECT: '@webrtc_gateway',
      CALLPASS_EDGE_AUTHORIZE_SINGLE_USE_URL: 'memory:',
    }),
    (it) => it.stop(),
  );
  nginx = opened(
    await startNginx({
      edge: new URL(edge.url).host,
      gateway: relay.address,
      origin: sandbox.ready.edge,
    }),
    (it) => it.stop(),
  );
  client = opened(createCredentialClient({ address: sandbox.ready.grpc }), (it) => it.close());
}, 180_000);
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

async function issue(destination = 'support-cbc'): Promise<TimeLimitedCredentials> {
  const { grant } = await client.issueCredentials({ destination });
  if (grant.case !== 'timeLimited') throw new TypeError('no tokens');
  return grant.value;
}

/** An account token of AES_128_ECB as anybody with the realm's key could make it. */
function madeUp(): string {
  const key = sandbox.ready.realms.find(({ name }) => name === 'support.example')?.key ?? '';
  const cipher = createCipheriv('aes-128-ecb', key, null);
  const text = `anonymous@kandy.example;${Date.now() - 1000}`;
  return (cipher.update(text, 'utf8', 'hex') + cipher.final('hex')).toUpperCase();
}

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** Sends a request to NGINX, its path as it is. */
function ask({ method = 'POST', path, body = '', headers = {} }: Asked) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(nginx.url);
    const json = body === '' ? {} : { 'content-type': 'application/json' };
    const length = { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request(
      { hostname, port, method, path, headers: { ...json, ...length, ...headers } },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
        answer.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const base = ({ accountToken }: { accountToken: string }) => `/rest/version/1/anonymous/${accountToken}`;
const pathOf = (tokens: Pick<TimeLimitedCredentials, 'accountToken' | 'realm'>, path: string) =>
  `${base(tokens)}${path}?tokenrealm=${tokens.realm}`;
const SUBSCRIBE = JSON.stringify({
  subscribeRequest: { expires: 3600, service: ['callMe'], notificationType: 'WebSocket' },
});
const startOf = ({ fromToken: from, toToken: to }: TimeLimitedCredentials, more: object = {}) => ({
  callMeRequest: { type: 'callStart', to, from, sdp: 'v=0', notifyChannelId: 'no-channel', ...more },
});
const startCall = (tokens: TimeLimitedCredentials, body: string, more: Partial<Asked> = {}) =>
  ask({ path: pathOf(tokens, '/callMe'), body, ...more });
const subscribe = (tokens: TimeLimitedCredentials) =>
  ask({ path: pathOf(tokens, '/subscription'), body: SUBSCRIBE });

describe('NGINX with deploy/nginx/webrtc-gateway.conf', () => {
  it('lets a call of the vendor’s SDK through, from the click to the end', async () => {
    const browser = opened(await launchBrowser(), (it) => it.close());
    const { hostname: host, port } = new URL(nginx.url);
    const visitor = await visit(browser, sandbox.ready.page, {
      // The page's own policy names the gateway without NGINX.
      bypassCSP: true,
      prepare: (page) =>
        page.route('**/sandbox/config.json', async (route) => {
          const config = (await (await route.fetch()).json()) as { gateway: object };
          await route.fulfill({
            json: { ...config, gateway: { ...config.gateway, host, port: Number(port) } },
          });
        }),
    });
    const before = relay.requests.length;
    await visitor.choose('support-cbc');
    await visitor.page.click('#call');
    await visitor.shows('connected');
    await eventually(async () => (await visitor.audioBytes()).received > 0, 'audio');
    await visitor.page.click('#hang-up');
    await visitor.shows('ended');
    await eventually(
      async () => relay.requests.some((line) => /^DELETE \S+\/subscription\//.test(line)),
      'the end of the subscription',
    );
    visitor.expectNoErrors();
    await visitor.close();
    const steps = relay.requests
      .slice(before)
      .map((line) => line.replace(/^(\w+) .*\/(subscription|callMe|callSessions|websocket)\b.*$/, '$1 $2'));
    expect(new Set(steps)).toEqual(
      new Set([
        ...['POST subscription', 'GET websocket', 'POST callMe'],
        ...['PUT callSessions', 'DELETE callSessions', 'DELETE subscription'],
      ]),
    );
  });

  it('lets a fresh set through to the gateway, which then decides itself', async () => {
    const tokens = await issue('support');
    expect(await subscribe(tokens)).toMatchObject({ status: 200 });
    // Code 39 is the gateway's own: it knows no such channel.
    const { status, body } = await startCall(tokens, JSON.stringify(startOf(tokens)));
    expect([status, body]).toEqual([404, '{"callControlResponse":{"statusCode":39}}']);
  });

  type Sets = Readonly<Record<'a' | 'b', TimeLimitedCredentials>>;
  const path =
    (of: (sets: Sets) => string, more: Partial<Asked> = {}) =>
    (sets: Sets) =>
      ask({ body: SUBSCRIBE, ...more, path: of(sets) });
  const body =
    (of: (sets: Sets) => string, more: Partial<Asked> = {}) =>
    (sets: Sets) =>
      startCall(sets.a, of(sets), more);
  const whole = (sets: Sets) => JSON.stringify(startOf(sets.a));
  const manipulated: readonly (readonly [string, (sets: Sets) => Promise<{ status: number }>])[] = [
    ['no token', path(() => '/rest/version/1/anonymous//subscription?tokenrealm=support-cbc.example')],
    [
      'half a token',
      path(({ a }) => pathOf({ ...a, accountToken: a.accountToken.slice(0, 80) }, '/subscription')),
    ],
    [
      'a changed digit',
      path(({ a }) =>
        pathOf(
          { ...a, accountToken: a.accountToken.replace(/.$/, (it) => (it === '0' ? '1' : '0')) },
          '/subscription',
        ),
      ),
    ],
    [
      'a from token as account token',
      path(({ a }) => pathOf({ ...a, accountToken: a.fromToken }, '/subscription')),
    ],
    [
      'a token that the realm’s key opens but that was not issued, as a spliced one',
      path(() => pathOf({ accountToken: madeUp(), realm: 'support.example' }, '/subscription')),
    ],
    ['the other realm', path(({ a }) => pathOf({ ...a, realm: 'support.example' }, '/subscription'))],
    ['no realm', path(({ a }) => `${base(a)}/subscription`)],
    ['the realm twice', path(({ a }) => `${pathOf(a, '/subscription')}&tokenrealm=${a.realm}`)],
    ['another member of the query', path(({ a }) => `${pathOf(a, '/subscription')}&x=1`)],
    ['a realm encoded twice', path(({ a }) => `${base(a)}/subscription?tokenrealm=support-cbc%252Eexample`)],
    ['an encoded slash', path(({ a }) => pathOf(a, '%2Fsubscription'))],
    ['an encoded letter', path(({ a }) => pathOf(a, '/%73ubscription'))],
    ['a letter encoded twice', path(({ a }) => pathOf(a, '/%2573ubscription'))],
    ['dots', path(({ a }) => pathOf(a, '/x/../subscription'))],
    ['encoded dots', path(({ a }) => pathOf(a, '/x/%2e%2e/subscription'))],
    ['a slash twice', path(({ a }) => pathOf(a, '//subscription'))],
    [
      'a parameter of a segment',
      path(({ a }) => pathOf({ ...a, accountToken: `${a.accountToken};x=1` }, '/subscription')),
    ],
    ['another version', path(({ a }) => pathOf(a, '/subscription').replace('/1/', '/2/'))],
    ['another method', path(({ a }) => pathOf(a, '/subscription'), { method: 'GET', body: '' })],
    ['a method that is unknown', path(({ a }) => pathOf(a, '/subscription'), { method: 'PATCH' })],
    ['an unrestricted call', path(() => '/rest/version/1/anonymous/lobby@kandy.example/subscription')],
    [
      '64 KiB of token',
      path(({ a }) => pathOf({ ...a, accountToken: a.accountToken + '0'.repeat(65_536) }, '/subscription')),
    ],
    [
      'the good path in a header',
      ({ a }: Sets) =>
        ask({
          path: pathOf({ ...a, accountToken: a.toToken }, '/subscription'),
          body: SUBSCRIBE,
          headers: {
            'x-original-uri': pathOf(a, '/subscription'),
            'x-forwarded-uri': pathOf(a, '/subscription'),
          },
        }),
    ],
    ['the control of the sandbox', path(() => '/sandbox/portal', { method: 'GET', body: '' })],
    ['a path through the channel', path(({ a }) => `/websocket/..%2f..${pathOf(a, '/subscription')}`)],
    [
      'a path into the channel',
      path(({ a }) => `${base(a)}/../../../../../websocket/x`, { method: 'GET', body: '' }),
    ],
    ['a call with another callee', body(({ a, b }) => JSON.stringify(startOf({ ...a, toToken: b.toToken })))],
    [
      'a call with swapped tokens',
      body(({ a }) => JSON.stringify(startOf({ ...a, toToken: a.accountToken }))),
    ],
    ['a call without a body', body(() => '')],
    ['a call with half a set', body(({ a }) => JSON.stringify(startOf(a, { from: undefined })))],
    [
      'a call with two callees',
      body((sets) => whole(sets).replace('"to":', `"to":"${sets.b.toToken}","to":`)),
    ],
    ['a call with a name in escapes', body((sets) => whole(sets).replace('"to"', '"\\u0074o"'))],
    ['a call as a form', body(whole, { headers: { 'content-type': 'application/x-www-form-urlencoded' } })],
    ['a call with an encoding', body(whole, { headers: { 'content-encoding': 'gzip' } })],
    ['a call by another method', body(whole, { method: 'PUT' })],
    ['a call larger than 256 KiB', body(({ a }) => JSON.stringify(startOf(a, { sdp: 'a'.repeat(262_144) })))],
  ];

  it.each(manipulated)('lets nothing through of a request with %s', async (_, send) => {
    const sets = { a: await issue(), b: await issue() };
    const before = relay.requests.length;
    expect((await send(sets)).status).toBeGreaterThanOrEqual(400);
    expect(relay.requests.slice(before)).toEqual([]);
  });

  it('opens no second session with a copied token', async () => {
    const tokens = await issue();
    expect((await subscribe(tokens)).status).toBe(200);
    const before = relay.requests.length;
    expect((await subscribe(tokens)).status).toBe(403);
    expect(relay.requests.slice(before)).toEqual([]);
    const start = (channel: string) =>
      startCall(tokens, JSON.stringify(startOf(tokens, { notifyChannelId: channel })));
    // Code 39 is the gateway's own.
    expect([(await start('one')).status, (await start('one')).status]).toEqual([404, 404]);
    expect((await start('two')).status).toBe(403);
  });

  it('refuses a frozen token within 2 s, and a page can read why', async () => {
    const [tokens, others] = [await issue(), await issue()];
    const goOn = async () =>
      (await ask({ method: 'DELETE', path: pathOf(tokens, '/callMe/callSessions/1') })).status;
    // Code 404 is the gateway's own: it knows no such call.
    expect(await goOn()).toBe(404);
    const admin = createAdminClient({ address: sandbox.ready.grpc });
    const scope = { scope: { case: 'destination', value: 'support-cbc' } } as const;
    await admin.freeze({ scope, reason: 'test' });
    const start = performance.now();
    while ((await goOn()) !== 403 && performance.now() - start < 2 * FREEZE_MS);
    expect(performance.now() - start).toBeLessThan(FREEZE_MS);
    const answer = await subscribe(tokens);
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
      403,
      { authorizationResponse: { statusCode: 35 } },
    ]);
    expect((await startCall(others, JSON.stringify(startOf(others)))).status).toBe(403);
    await admin.unfreeze({ scope });
    admin.close();
  });

  it('has no token in a log, and the reasons of refusals in its own', async () => {
    const tokens = await issue();
    await subscribe(tokens);
    await startCall(tokens, JSON.stringify(startOf({ ...tokens, toToken: tokens.fromToken })));
    const logs = nginx.log() + edge.output();
    for (const token of [tokens.accountToken, tokens.fromToken, tokens.toToken])
      expect(logs).not.toContain(token);
    expect(logs).not.toMatch(/\/rest\/version|[0-9A-F]{32}[0-9A-Za-z]{32}/);
    expect(nginx.log()).toMatch(/ POST 403 403 \S+ WRONG_KIND\n/);
    expect(nginx.log()).toMatch(/ POST 200 200 [\d.]+ \n/);
  });

  it('lets nothing through while the edge is away, in a form that the SDK understands', async () => {
    const tokens = await issue();
    await edge.stop();
    const before = relay.requests.length;
    for (const answer of [await subscribe(tokens), await startCall(tokens, JSON.stringify(startOf(tokens)))])
      expect([answer.status, JSON.parse(answer.body)]).toEqual([
        503,
        { subscribeResponse: { statusCode: 26 } },
      ]);
    expect(relay.requests.slice(before)).toEqual([]);
  });
});
