import { createCipheriv } from 'node:crypto';
import { request, type OutgoingHttpHeaders } from 'node:http';
import { createAdminClient, createCredentialClient, type CredentialClient } from '@callpass/client';
import type { TimeLimitedCredentials } from '@callpass/contract';
import {
  gatewayPath,
  gatewayRequest,
  MANIPULATED_REQUESTS,
  rewrittenRequests,
  startRequest,
  subscribeRequest,
  type GatewayHttp,
} from '@callpass/testkit/manipulated-requests';
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

async function issue(destination = 'support-cbc', subject = ''): Promise<TimeLimitedCredentials> {
  const { grant } = await client.issueCredentials({ destination, subject });
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

/** Sends a request to NGINX, its path as it is. */
function ask({
  method,
  path,
  body,
  headers,
}: Omit<GatewayHttp, 'headers'> & { readonly headers: OutgoingHttpHeaders }) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(nginx.url);
    const length = { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request({ hostname, port, method, path, headers: { ...length, ...headers } }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const subscribe = (tokens: TimeLimitedCredentials) => ask(subscribeRequest(tokens));
const startCall = (tokens: TimeLimitedCredentials, members: object = {}) =>
  ask(startRequest(tokens, members));

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
    const { status, body } = await startCall(tokens);
    expect([status, body]).toEqual([404, '{"callControlResponse":{"statusCode":39}}']);
  });

  it.each(MANIPULATED_REQUESTS)('lets nothing through of a request with %s', async (_, manipulated) => {
    const madeUpToken = { accountToken: madeUp(), realm: 'support.example' };
    const sent = manipulated({ a: await issue(), b: await issue(), madeUp: madeUpToken });
    const before = relay.requests.length;
    expect((await ask(sent)).status).toBeGreaterThanOrEqual(400);
    expect(relay.requests.slice(before)).toEqual([]);
  });

  it('passes on the type of a call’s body that was looked at, and no other', async () => {
    const call = startRequest(await issue());
    await ask({ ...call, headers: { 'Content-Type': ['application/json', 'text/plain'] } });
    const types = relay.headers.at(-1)?.filter((line) => /^content-(type|encoding):/i.test(line));
    expect([relay.requests.at(-1)?.includes('/callMe?'), types]).toEqual([
      true,
      ['Content-Type: application/json'],
    ]);
  });

  it('opens no second session with a copied token', async () => {
    const tokens = await issue();
    expect((await subscribe(tokens)).status).toBe(200);
    const before = relay.requests.length;
    expect((await subscribe(tokens)).status).toBe(403);
    expect(relay.requests.slice(before)).toEqual([]);
    const start = (channel: string) => startCall(tokens, { notifyChannelId: channel });
    // Code 39 is the gateway's own.
    expect([(await start('one')).status, (await start('one')).status]).toEqual([404, 404]);
    expect((await start('two')).status).toBe(403);
  });

  it('refuses a frozen token within 2 s, and a page can read why', async () => {
    const [tokens, others] = [await issue(), await issue()];
    const goOn = async () =>
      (await ask(gatewayRequest('DELETE', gatewayPath(tokens, '/callMe/callSessions/1')))).status;
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
    expect((await startCall(others)).status).toBe(403);
    await admin.unfreeze({ scope });
    admin.close();
  });

  it.each([
    ['realm', 'support.example'],
    ['destination', 'support'],
    ['client', 'local'],
    ['subject', 'visitor-1'],
  ] as const)('lets no token of a frozen %s through, in whatever form it is written', async (kind, value) => {
    const tokens = await issue('support', 'visitor-1');
    const admin = createAdminClient({ address: sandbox.ready.grpc });
    const scope = { scope: { case: kind, value } } as const;
    await admin.freeze({ scope, reason: 'test' });
    const before = relay.requests.length;
    try {
      for (const rewritten of rewrittenRequests(tokens)) {
        const { status, body } = await ask(rewritten);
        expect(`${status} ${body}`).toMatch(/^403 .*"statusCode":35\D/);
      }
    } finally {
      await admin.unfreeze({ scope });
      admin.close();
    }
    expect(relay.requests.slice(before)).toEqual([]);
    for (const rewritten of rewrittenRequests(tokens).slice(-1)) await ask(rewritten);
    expect(relay.requests.slice(before)).toHaveLength(1);
  });

  it('has no token in a log, and the reasons of refusals in its own', async () => {
    const tokens = await issue();
    await subscribe(tokens);
    await startCall({ ...tokens, toToken: tokens.fromToken });
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
    for (const answer of [await subscribe(tokens), await startCall(tokens)])
      expect([answer.status, JSON.parse(answer.body)]).toEqual([
        503,
        { subscribeResponse: { statusCode: 26 } },
      ]);
    expect(relay.requests.slice(before)).toEqual([]);
  });
});
