import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SettingsError } from '@callpass/program/settings';
import { createLog } from '@callpass/program/log';
import { loadEdgeSettings } from '../settings/load.ts';
import { checkSettings, startEdge, type EdgeExtras, type RunningEdge } from './start-edge.ts';

/** Nothing listens there. */
const NOWHERE = '127.0.0.1:1';
const running: RunningEdge[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map((edge) => edge.stop()));
});

const settingsOf = (environment: Record<string, string>) =>
  loadEdgeSettings({
    environment: {
      CALLPASS_EDGE_LISTEN_ADDRESS: '127.0.0.1:0',
      CALLPASS_EDGE_SERVICE_ADDRESS: NOWHERE,
      CALLPASS_EDGE_LOG_LEVEL: 'silent',
      ...environment,
    },
  });

async function start(
  environment: Record<string, string> = {},
  extras: EdgeExtras = {},
): Promise<RunningEdge> {
  const settings = settingsOf(environment);
  const edge = await startEdge(settings, createLog(settings.log), extras);
  running.push(edge);
  return edge;
}

/** Opens a connection, sends a text, and gives everything that comes until the other side closes it. */
function talk(edge: RunningEdge, text: string): Promise<string> {
  const socket = open(edge);
  let received = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => (received += chunk));
  socket.write(text);
  return new Promise((resolve) => socket.once('close', () => resolve(received)));
}

function open(edge: RunningEdge, localAddress = '127.0.0.1'): Socket {
  const socket = connect({ port: Number(new URL(edge.address).port), host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

const connected = (socket: Socket) => new Promise((resolve) => socket.once('connect', resolve));
const issue = (edge: RunningEdge) =>
  fetch(`${edge.address}/v1/destinations/d/credentials`, { method: 'POST' });

describe('an edge whose service is away', () => {
  it('says so within a second, as a problem, and is not ready', async () => {
    const edge = await start();
    const took: number[] = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      const startMs = performance.now();
      const answer = await issue(edge);
      took.push(performance.now() - startMs);
      expect(answer.status).toBe(503);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(await answer.json()).toMatchObject({ reason: 'SERVICE_UNREACHABLE', retryAfter: 1 });
    }
    // Whatever else the machine does can only make an answer late.
    expect(Math.min(...took)).toBeLessThan(1000);
    const ready = await fetch(`${edge.address}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      expect.objectContaining({ reason: 'SERVICE_UNREACHABLE' }),
    ]);
    expect((await fetch(`${edge.address}/healthz`)).status).toBe(200);
  });
});

describe('senders that mean no good', () => {
  it('slow ones get an answer that says so and are closed, whatever they have sent so far', async () => {
    const edge = await start({
      CALLPASS_EDGE_REQUESTS_HEADERS_TIMEOUT: '500ms',
      CALLPASS_EDGE_REQUESTS_TIMEOUT: '500ms',
    });
    const head = 'POST /v1/destinations/d/credentials HTTP/1.1\r\nhost: x\r\n';
    const [inHead, inBody] = await Promise.all([
      talk(edge, head),
      talk(edge, `${head}content-type: application/json\r\ncontent-length: 10\r\n\r\n{`),
    ]);
    for (const answer of [inHead, inBody]) {
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect(answer).toContain('"reason":"REQUEST_TOO_SLOW"');
    }
  });

  it.each([
    [
      'headers without end',
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${'canary'.repeat(5000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    ['what is no HTTP', '\x16\x03\x01canary\r\n\r\n', 400, 'REQUEST_INVALID'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      400,
      'REQUEST_INVALID',
    ],
  ])('%s is refused with a problem and closed', async (_what, text, status, reason) => {
    const answer = await talk(await start(), text);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain('content-type: application/problem+json');
    expect(answer).toContain(`"reason":"${reason}"`);
    expect(answer).not.toContain('canary');
  });

  it('many that say nothing do not keep others out, and are closed', async () => {
    const edge = await start({ CALLPASS_EDGE_REQUESTS_HEADERS_TIMEOUT: '500ms' });
    const idle = Array.from({ length: 500 }, () => open(edge));
    const closed = Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    await Promise.all(idle.map(connected));
    for (const socket of idle) socket.resume();
    expect((await fetch(`${edge.address}/healthz`)).status).toBe(200);
    await closed;
  });

  it('more connections than there may be are closed while all others have a request under way', async () => {
    const answer = Promise.withResolvers<string>();
    let arrived = 0;
    const mount: EdgeExtras['mount'] = (app) => {
      app.get('/waits', () => (arrived++, answer.promise));
    };
    const edge = await start({ CALLPASS_EDGE_CONNECTIONS_MAX: '2' }, { mount });
    const busy = [open(edge), open(edge)];
    for (const socket of busy) socket.write('GET /waits HTTP/1.1\r\nhost: x\r\n\r\n');
    while (arrived < 2) await new Promise((resolve) => setImmediate(resolve));
    const third = open(edge);
    await new Promise((resolve) => third.once('close', resolve));
    const answers = busy.map((socket) => new Promise((resolve) => socket.once('data', resolve)));
    answer.resolve('done');
    for (const each of answers) expect(String(await each)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('an address that holds connections', () => {
  const HEAD = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';
  const answerOf = (socket: Socket) =>
    new Promise<string>((resolve) => {
      socket.once('data', (data) => resolve(String(data)));
      socket.once('close', () => resolve('closed'));
    });
  const ask = (socket: Socket) => {
    socket.write(HEAD);
    return answerOf(socket);
  };

  it('does not take the places of others, with nothing, half a head or half a body sent, or with requests', async () => {
    for (const sent of [
      '',
      'GET / HT',
      'POST /canary HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{',
      HEAD,
    ]) {
      const edge = await start({ CALLPASS_EDGE_CONNECTIONS_MAX: '64' });
      const held = Array.from({ length: 64 }, () => open(edge));
      await Promise.all(held.map(connected));
      for (const socket of held) {
        socket.resume();
        if (sent !== '') socket.write(sent);
      }
      for (let neighbour = 2; neighbour < 12; neighbour++) {
        expect(await ask(open(edge, `127.0.0.${neighbour}`))).toMatch(/^HTTP\/1\.1 200 /);
      }
    }
  });

  it('does not keep others out by connections that were served, from as many addresses as it takes', async () => {
    const edge = await start({ CALLPASS_EDGE_CONNECTIONS_MAX: '64' });
    const held: Socket[] = [];
    for (let count = 0; count < 64; count++) {
      const socket = open(edge, `127.0.0.${2 + (count % 4)}`);
      expect(await ask(socket)).toMatch(/^HTTP\/1\.1 200 /);
      held.push(socket);
    }
    const [oldest, ...others] = held as [Socket, ...Socket[]];
    const gone = new Promise((resolve) => oldest.once('close', resolve));
    expect(await ask(open(edge, '127.0.0.9'))).toMatch(/^HTTP\/1\.1 200 /);
    await gone;
    expect(await ask(others.at(-1) as Socket)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each([
    ['alone', ''],
    ['behind a request that has come whole', HEAD],
  ])('has few connections with a slow body on a later request, %s', async (_how, before) => {
    const edge = await start({ CALLPASS_EDGE_CONNECTIONS_MAX: '64' });
    const closed = new Set<Socket>();
    const slow: Socket[] = [];
    for (let count = 0; count < 64; count++) {
      const socket = open(edge, `127.0.0.${2 + (count % 4)}`);
      socket.on('close', () => closed.add(socket));
      expect(await ask(socket)).toMatch(/^HTTP\/1\.1 200 /);
      slow.push(socket);
    }
    for (const socket of slow)
      socket.write(`${before}POST /canary HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{`);
    // A quarter of all places is for requests that have not come whole.
    while (closed.size < 48) await new Promise((resolve) => setImmediate(resolve));
    expect(await ask(open(edge, '127.0.0.9'))).toMatch(/^HTTP\/1\.1 200 /);
    expect(closed.size).toBeLessThanOrEqual(49);
  });

  it('is still served on a new connection while others of it have sent nothing', async () => {
    const edge = await start({ CALLPASS_EDGE_CONNECTIONS_MAX: '64' });
    const idle = Array.from({ length: 64 }, () => open(edge));
    await Promise.all(idle.map(connected));
    for (const socket of idle) socket.resume();
    expect(await ask(open(edge))).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('does not lose a connection that was served before to others that send nothing', async () => {
    const edge = await start({ CALLPASS_EDGE_CONNECTIONS_MAX: '64' });
    const served = open(edge);
    expect(await ask(served)).toMatch(/^HTTP\/1\.1 200 /);
    await Promise.all(Array.from({ length: 40 }, () => connected(open(edge).resume())));
    expect(await ask(served)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('has the bound that is set, and none as a listed proxy', async () => {
    const bound = { CALLPASS_EDGE_CONNECTIONS_MAX_PER_PEER: '2' };
    const hold = async (edge: RunningEdge) => {
      const answers = [await ask(open(edge)), await ask(open(edge)), await ask(open(edge))];
      return answers.map((answer) => answer.split(' ')[1] ?? answer);
    };
    expect(await hold(await start(bound))).toEqual(['200', '200', 'closed']);
    const trusted = { ...bound, CALLPASS_EDGE_TRUSTED_PROXIES: 'loopback' };
    expect(await hold(await start(trusted))).toEqual(['200', '200', '200']);
    expect(await hold(await start({ CALLPASS_EDGE_CONNECTIONS_MAX_PER_PEER: '0' }))).toEqual([
      '200',
      '200',
      '200',
    ]);
  });
});

it('answers what is not there with a problem, and a wrong method with the right ones', async () => {
  const edge = await start();
  const nothing = await fetch(`${edge.address}/canary?canary`);
  expect([nothing.status, nothing.headers.get('cache-control')]).toEqual([404, 'no-store']);
  expect(await nothing.json()).toMatchObject({ reason: 'NOT_FOUND' });
  const wrong = await fetch(`${edge.address}/actg/token`, { method: 'DELETE' });
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET']);
  const malformed = await fetch(`${edge.address}/v1/destinations/%ff/credentials`, { method: 'POST' });
  expect(await malformed.json()).toMatchObject({ status: 400, reason: 'REQUEST_INVALID' });
});

it.each([
  ['404', 'GET /canary HTTP/1.1\r\n\r\n', 404, 'NOT_FOUND'],
  ['405', 'DELETE /actg/token HTTP/1.1\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
  [
    '405 of a path with a parameter',
    'PUT /v1/destinations/d/credentials HTTP/1.1\r\n\r\n',
    405,
    'METHOD_NOT_ALLOWED',
  ],
  ['405 of a rare method', 'PROPFIND /healthz HTTP/1.1\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
  ['400 of a malformed path', 'GET /%ff HTTP/1.1\r\n\r\n', 400, 'REQUEST_INVALID'],
  [
    '413',
    `POST /v1/destinations/d/credentials HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n${' '.repeat(5000)}`,
    413,
    'BODY_TOO_LARGE',
  ],
  [
    '413 of a body in chunks',
    `POST /v1/destinations/d/credentials HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1388\r\n${' '.repeat(5000)}\r\n0\r\n\r\n`,
    413,
    'BODY_TOO_LARGE',
  ],
  [
    '415',
    'POST /v1/destinations/d/credentials HTTP/1.1\r\ncontent-type: text/plain\r\ncontent-length: 1\r\n\r\nx',
    415,
    'CONTENT_TYPE_NOT_SUPPORTED',
  ],
  ['431', `GET /healthz HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
  ['400', 'GET /healthz HTTP/1.1\r\ncontent-length: canary\r\n\r\n', 400, 'REQUEST_INVALID'],
  ['an expectation', 'GET /canary HTTP/1.1\r\nexpect: canary\r\n\r\n', 404, 'NOT_FOUND'],
  ['a request for a tunnel', 'CONNECT canary:443 HTTP/1.1\r\n\r\n', 404, 'NOT_FOUND'],
  ['a second host', 'GET /healthz HTTP/1.1\r\nHost: canary\r\n\r\n', 400, 'REQUEST_INVALID'],
  ['no host', 'GET /healthz HTTP/1.1\r\nno-host: x\r\n\r\n', 400, 'REQUEST_INVALID'],
])(
  '%s is a problem that a listed page can read, with the time, and another page cannot',
  async (_what, text, status, reason) => {
    const edge = await start({ CALLPASS_EDGE_ORIGINS: 'https://www.example.org' });
    const host = text.includes('no-host') ? '' : 'host: x\r\n';
    const ask = (origin: string) =>
      talk(edge, text.replace('\r\n', `\r\n${host}connection: close\r\nOrigin: ${origin}\r\n`));
    const answer = await ask('https://www.example.org');
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(/\r\ncontent-type: application\/problem\+json/i);
    expect(answer).toContain(`"reason":"${reason}"`);
    expect(answer).toMatch(/\r\naccess-control-allow-origin: https:\/\/www\.example\.org\r\n/i);
    expect(answer).toMatch(/\r\naccess-control-allow-credentials: true\r\n/i);
    expect(answer).toMatch(/\r\naccess-control-expose-headers: .*\bdate\b/i);
    expect(answer).toMatch(/\r\ndate: \w{3}, .* GMT\r\n/i);
    expect(answer).toMatch(/\r\nvary: Origin/i);
    expect(answer).not.toContain('canary');
    expect(await ask('https://evil.example')).not.toMatch(/access-control-/i);
  },
);

it('a peer that asks for a tunnel and resets the connection ends nothing but that', async () => {
  const edge = await start();
  for (let i = 0; i < 20; i++) {
    const socket = open(edge);
    await connected(socket);
    socket.write('CONNECT canary:443 HTTP/1.1\r\nhost: x\r\n\r\nmore');
    socket.resetAndDestroy();
  }
  expect((await fetch(`${edge.address}/healthz`)).status).toBe(200);
});

it('a route of files that is there for every path does not make a missing file a wrong method', async () => {
  const mount: EdgeExtras['mount'] = (app) => {
    app.get('/*', (_request, reply) => reply.callNotFound());
  };
  const { address } = await start({}, { mount });
  const missing = await fetch(`${address}/missing.png`);
  expect([missing.status, await missing.json()]).toEqual([
    404,
    expect.objectContaining({ reason: 'NOT_FOUND' }),
  ]);
  expect((await fetch(`${address}/missing.png`, { method: 'HEAD' })).status).toBe(404);
  expect((await fetch(`${address}/missing.png`, { method: 'POST' })).status).toBe(405);
});

it('drains: what is under way ends, and nobody keeps it alive beyond the grace time', async () => {
  const arrived = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const edge = await start(
    { CALLPASS_EDGE_DRAIN_GRACE: '500ms' },
    {
      mount: (app) => {
        app.get('/slow', async () => {
          arrived.resolve();
          await go.promise;
          return 'done';
        });
        app.get('/stuck', () => new Promise(() => undefined));
      },
    },
  );
  const slow = fetch(`${edge.address}/slow`);
  const stuck = fetch(`${edge.address}/stuck`).catch(() => 'cut off');
  await arrived.promise;
  const stopped = edge.stop();
  go.resolve();
  expect(await (await slow).text()).toBe('done');
  expect(await stuck).toBe('cut off');
  await stopped;
  await expect(fetch(`${edge.address}/healthz`)).rejects.toThrow();
});

describe('settings that cannot be used', () => {
  it.each([
    ['plain text where others can read it', { LISTEN_ADDRESS: '0.0.0.0:0' }, /not a loopback address/],
    [
      'a service that is far and not encrypted',
      { SERVICE_ADDRESS: 'service.example:7443' },
      /service: plain text/,
    ],
    ['an origin with a path', { ORIGINS: 'https://www.example.org/page' }, /not an origin/],
    ['a proxy that is no address', { TRUSTED_PROXIES: 'proxy' }, /proxy/],
    ['half a certificate', { LISTEN_CERT_FILE: '/nowhere' }, /go together/],
    [
      'a file that is not there',
      { SERVICE_CA_FILE: '/nowhere' },
      /service\.caFile: cannot read \/nowhere: there is no such file/,
    ],
    ['a check without a secret', { HUMAN_CHECK_KIND: 'altcha' }, /humanCheck\.secret/],
    ['a token twice', { SERVICE_TOKEN: 'canary', SERVICE_TOKEN_FILE: '/nowhere' }, /exclude each other/],
  ])('%s stop the start and the check alike', async (_what, values, text) => {
    const environment = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [`CALLPASS_EDGE_${name}`, value]),
    );
    await expect(start(environment as Record<string, string>)).rejects.toThrow(text);
    const checked = checkSettings(settingsOf(environment));
    await expect(checked).rejects.toThrow(SettingsError);
    await expect(checked).rejects.not.toThrow(/canary/);
  });

  it('an address in use is said in one line', async () => {
    const first = await start();
    const address = first.address.replace('http://', '');
    await expect(start({ CALLPASS_EDGE_LISTEN_ADDRESS: address })).rejects.toThrow(/the address is in use/);
  });

  it('files are read: secrets of visitors, one a line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'callpass-edge-'));
    try {
      writeFileSync(join(folder, 'good'), `${'a'.repeat(32)}\n${'b'.repeat(32)}\n`);
      writeFileSync(join(folder, 'bad'), `${'a'.repeat(32)}\nshort\n`);
      const check = (name: string) =>
        checkSettings(settingsOf({ CALLPASS_EDGE_VISITOR_SECRET_FILE: join(folder, name) }));
      await check('good');
      await expect(check('bad')).rejects.toThrow(SettingsError);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
