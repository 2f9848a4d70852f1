import { request as httpRequest } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createGateway, type Gateway } from '../gateway.ts';
import { handWoundTime, type HandWoundTime } from '../testing/hand-wound-time.ts';
import { madeUpMedia, madeUpVerifier } from '../testing/made-up-parts.ts';
import { createGatewayApp } from './serve.ts';

const PAGE = 'http://127.0.0.1:7080';
const OTHER_PAGE = 'http://localhost:5173';
const SUBSCRIBE = { subscribeRequest: { expires: 3600, service: ['callMe'], notificationType: 'WebSocket' } };
const LIMIT_MS = 60_000;

let time: HandWoundTime;
let gateway: Gateway;
let app: FastifyInstance;
let base: string;
beforeEach(async () => {
  time = handWoundTime();
  gateway = createGateway({ verifier: madeUpVerifier, createMedia: madeUpMedia, time, newId: randomUUID });
  app = await createGatewayApp(gateway, { mayControl: (origin) => origin === PAGE });
  base = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  gateway.close();
  await app.close();
});

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(base + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

const account = (text: string) => `/rest/version/1/anonymous/${text}`;
const REALM = '?tokenrealm=support.example';

async function subscribe(text = 'a1b2', realm = REALM) {
  const { body } = await ask('POST', `${account(text)}/subscription${realm}`, SUBSCRIBE);
  const { subscription, subscriptionParams } = body.subscribeResponse;
  return { subscription, channel: subscriptionParams.notificationChannel as string };
}

const callStart = (channel: string, more: object = {}) => ({
  callMeRequest: {
    type: 'callStart',
    from: 'f1',
    to: 't1',
    sdp: 'offer',
    notifyChannelId: channel.replace('/websocket/', ''),
    ...more,
  },
});

/** Connects, and resolves with the texts that come. */
async function listenTo(channel: string): Promise<{ socket: WebSocket; texts: string[] }> {
  const socket = new WebSocket(base.replace('http', 'ws') + channel);
  const texts: string[] = [];
  socket.addEventListener('message', ({ data }) => void texts.push(String(data)));
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error('no connection')));
  });
  return { socket, texts };
}

async function until(holds: () => boolean | undefined): Promise<void> {
  const start = Date.now();
  while (!holds()) {
    if (Date.now() - start > LIMIT_MS / 2) throw new Error('it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const eventsOf = (texts: string[]) => texts.map((text) => JSON.parse(text).notificationMessage.eventType);

describe('a call as the SDK places it', () => {
  it.each([
    ['with tokens', 'a1b2', REALM, {}],
    [
      'without, the address as it is',
      'lobby@kandy.example',
      '',
      { from: 'sip:v@kandy.example', to: 'sip:lobby@kandy.example' },
    ],
    [
      'without, the address encoded',
      'lobby%40kandy.example',
      '',
      { from: 'sip:v@kandy.example', to: 'sip:lobby@kandy.example' },
    ],
  ])(
    '%s: subscription, channel, callStart, audit, hold, end',
    async (_name, text, realm, more) => {
      const { subscription, channel } = await subscribe(text, realm);
      const { socket, texts } = await listenTo(channel);
      const started = await ask('POST', `${account(text)}/callMe${realm}`, callStart(channel, more));
      expect(started.status).toBe(200);
      const session = `${account(text)}/callMe/callSessions/${started.body.callMeResponse.sessionData}${realm}`;
      const put = (request: object) => ask('PUT', session, { callMeRequest: request });
      expect((await put({ type: 'audit' })).status).toBe(200);
      time.advance(5000);
      await until(() => texts.length === 2);
      expect((await put({ type: 'startCallUpdate', sdp: 'm=audio 1 x 0\na=inactive' })).status).toBe(200);
      expect((await put({ type: 'sendCustomHeaders', customParameters: [] })).status).toBe(200);
      expect(gateway.calls()[0]?.state).toBe('HELD');
      time.advance(150);
      await until(() => texts.length === 3);
      expect(eventsOf(texts)).toEqual(['ringing', 'respondCallUpdate', 'respondCallUpdate']);
      expect((await ask('DELETE', session)).status).toBe(200);
      expect((await ask('DELETE', subscription + realm)).status).toBe(200);
      await until(() => socket.readyState === WebSocket.CLOSED);
    },
    LIMIT_MS,
  );

  it('answers every preflight of a page of this machine, and errors can be read there too', async () => {
    const path = `${account('a1b2')}/subscription${REALM}`;
    const preflight = await ask('OPTIONS', path, undefined, {
      origin: OTHER_PAGE,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-cpaas-agent',
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(OTHER_PAGE);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('x-cpaas-agent');
    expect(preflight.headers.get('access-control-allow-methods')).toContain('DELETE');
    const refused = await ask('POST', path, 'no JSON', { origin: OTHER_PAGE });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([400, OTHER_PAGE]);
  });
});

describe('refusals have the shape that the SDK reads', () => {
  it.each([
    ['NOT_ENABLED', 35],
    ['INVALID_TOKEN', 46],
    ['INVALID_REALM', 64],
    ['TOKEN_EXPIRED', 65],
  ])('%s: 403 with %i at the subscription and at the start of the call', async (refusal, statusCode) => {
    const atSubscription = await ask('POST', `${account(refusal)}/subscription${REALM}`, SUBSCRIBE);
    expect([atSubscription.status, atSubscription.body]).toEqual([
      403,
      { authorizationResponse: { statusCode } },
    ]);
    const { channel } = await subscribe();
    const atStart = await ask(
      'POST',
      `${account('a1b2')}/callMe${REALM}`,
      callStart(channel, { to: refusal }),
    );
    expect([atStart.status, atStart.body]).toEqual([403, { callControlResponse: { statusCode } }]);
  });

  it('an unknown channel, subscription, call: 404 with 39 or 42', async () => {
    const call = await ask('POST', `${account('a1b2')}/callMe${REALM}`, callStart('/websocket/none'));
    expect([call.status, call.body]).toEqual([404, { callControlResponse: { statusCode: 39 } }]);
    for (const method of ['PUT', 'DELETE']) {
      const body = method === 'PUT' ? SUBSCRIBE : undefined;
      const gone = await ask(method, `${account('a1b2')}/subscription/none${REALM}`, body);
      expect([gone.status, gone.body]).toEqual([404, { subscribeResponse: { statusCode: 39 } }]);
    }
    const audit = await ask('PUT', `${account('a1b2')}/callMe/callSessions/none${REALM}`, {
      callMeRequest: { type: 'audit' },
    });
    expect([audit.status, audit.body]).toEqual([404, { callControlResponse: { statusCode: 42 } }]);
  });
});

describe('bad input', () => {
  const bodies: [string, unknown][] = [
    ['no JSON', '{'],
    ['nothing', ''],
    ['another shape', { hello: 1 }],
    ['a list', []],
    ['null', 'null'],
    ['another service', { subscribeRequest: { ...SUBSCRIBE.subscribeRequest, service: ['other'] } }],
    ['a lifetime without end', { subscribeRequest: { ...SUBSCRIBE.subscribeRequest, expires: 1e12 } }],
    [
      'a poisoned prototype',
      '{"__proto__":{"x":1},"subscribeRequest":{"service":["callMe"],"notificationType":"WebSocket"}}',
    ],
    ['more than it takes', `{"a":"${'x'.repeat(300_000)}"}`],
  ];
  it.each(bodies)('a subscription with %s: 400 with 5, and nothing is subscribed', async (_name, body) => {
    const { status, body: answer } = await ask('POST', `${account('a1b2')}/subscription${REALM}`, body);
    expect([status, answer]).toEqual([400, { subscribeResponse: { statusCode: 5 } }]);
  });

  it('a call with another type, without a field, with too long a token: 400 with 5', async () => {
    const { channel } = await subscribe();
    const wrong = [
      { type: 'other' },
      { sdp: undefined },
      { from: '' },
      { to: 'x'.repeat(5000) },
      { sdp: 1.5e300 },
    ];
    for (const more of wrong.slice(0, 4)) {
      const { status, body } = await ask(
        'POST',
        `${account('a1b2')}/callMe${REALM}`,
        callStart(channel, more),
      );
      expect([status, body]).toEqual([400, { callControlResponse: { statusCode: 5 } }]);
    }
    expect(gateway.calls()).toEqual([]);
  });

  it('an answer to an offer that was never made: 400 with 1004', async () => {
    const { channel } = await subscribe();
    const { body } = await ask('POST', `${account('a1b2')}/callMe${REALM}`, callStart(channel));
    const session = `${account('a1b2')}/callMe/callSessions/${body.callMeResponse.sessionData}${REALM}`;
    const answer = await ask('PUT', session, { callMeRequest: { type: 'respondCallUpdate', sdp: 'x' } });
    expect([answer.status, answer.body]).toEqual([400, { callControlResponse: { statusCode: 1004 } }]);
  });

  it('a path that cannot be decoded, is too long, or leads nowhere: an answer in JSON', async () => {
    const paths = [
      `${account('%E0%A4%A')}/subscription`,
      `${account('a'.repeat(9000))}/subscription`,
      '/elsewhere',
    ];
    for (const path of paths) {
      const { status, body } = await ask('POST', path, SUBSCRIBE);
      expect([[400, 404].includes(status), typeof body]).toEqual([true, 'object']);
    }
  });

  it('another content type: 400 with 5', async () => {
    const path = `${account('a1b2')}/subscription${REALM}`;
    const { status, body } = await ask('POST', path, 'a=1', { 'content-type': 'text/plain' });
    expect([status, body]).toEqual([400, { subscribeResponse: { statusCode: 5 } }]);
  });

  it('what is no HTTP is answered or cut off, and the next one is served', async () => {
    const { port } = app.server.address() as AddressInfo;
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('\u0000\u0001garbage\r\n\r\n'));
      socket.on('data', () => undefined);
      socket.on('close', () => resolve());
      socket.on('error', () => undefined);
    });
    await expect(subscribe()).resolves.toBeDefined();
  });

  it('a channel that does not exist: no socket', async () => {
    await expect(listenTo('/websocket/none')).rejects.toThrow('no connection');
  });

  it(
    'frames that are huge, binary or broken close the socket at most; the channel takes the next one',
    async () => {
      const { channel } = await subscribe();
      const first = await listenTo(channel);
      first.socket.send('{"message_type":"ping"}');
      first.socket.send('not JSON');
      first.socket.send('null');
      first.socket.send(new Uint8Array([1, 2, 3]));
      first.socket.send('{"connCheck":{}}');
      await until(() => first.texts.includes('{"connAck":{}}'));
      first.socket.send('x'.repeat(10_000));
      await until(() => first.socket.readyState === WebSocket.CLOSED);
      await ask('POST', `${account('a1b2')}/callMe${REALM}`, callStart(channel));
      time.advance(5000);
      const second = await listenTo(channel);
      await until(() => second.texts.length === 2);
      expect(eventsOf(second.texts)).toEqual(['ringing', 'respondCallUpdate']);
      second.socket.close();
    },
    LIMIT_MS,
  );

  it(
    'a flood of subscriptions is refused past the thousandth with 503, and served again after',
    async () => {
      const statuses: number[] = [];
      for (let round = 0; round < 21; round += 1) {
        const answers = await Promise.all(
          Array.from({ length: 50 }, () => ask('POST', `${account('a1b2')}/subscription${REALM}`, SUBSCRIBE)),
        );
        statuses.push(...answers.map(({ status }) => status));
      }
      expect(statuses.filter((status) => status === 200)).toHaveLength(1000);
      expect(statuses.filter((status) => status === 503)).toHaveLength(50);
      time.advance(3_600_000);
      await expect(subscribe()).resolves.toBeDefined();
    },
    LIMIT_MS,
  );
});

describe('from elsewhere', () => {
  it('a name that was pointed here gets nothing', async () => {
    const status = await new Promise((resolve) => {
      httpRequest(`${base}/sandbox/calls`, { headers: { host: 'evil.example:7090' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(status).toBe(421);
  });

  it('a page from another machine gets nothing, and only the sandbox’s page has its control', async () => {
    const post = (path: string, origin: string) => ask('POST', path, SUBSCRIBE, { origin });
    const subscription = `${account('a1b2')}/subscription${REALM}`;
    expect((await post(subscription, 'https://evil.example')).status).toBe(403);
    expect((await post(subscription, OTHER_PAGE)).status).toBe(200);
    const calls = (origin: string) => ask('GET', '/sandbox/calls', undefined, { origin });
    expect((await calls(OTHER_PAGE)).status).toBe(403);
    expect((await calls(PAGE)).status).toBe(200);
  });

  it('the portal takes its own form only, and is in force at once', async () => {
    const put = (body: object) => ask('PUT', '/sandbox/portal', body);
    expect((await put({ unrestrictedCalls: 'maybe' })).status).toBe(400);
    expect((await put({ unrestrictedCalls: false, notEnabled: [] })).status).toBe(200);
    const { status } = await ask('POST', `${account('lobby@kandy.example')}/subscription`, SUBSCRIBE);
    expect(status).toBe(403);
    expect((await ask('GET', '/sandbox/refusals')).body.refusals[0]).toMatchObject({ code: 46 });
  });
});
