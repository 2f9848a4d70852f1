import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { loadEdgeSettings } from '../settings/load.ts';
import { createKeptLog, type KeptLine, type KeptLog } from '../testing/kept-log.ts';
import { startEdge, type RunningEdge } from './start-edge.ts';

const running: RunningEdge[] = [];
afterEach(() => Promise.all(running.splice(0).map((edge) => edge.stop())));

async function start(requests: string, more: Record<string, string> = {}): Promise<RunningEdge & KeptLog> {
  const kept = createKeptLog();
  const settings = loadEdgeSettings({
    environment: {
      CALLPASS_EDGE_LISTEN_ADDRESS: '127.0.0.1:0',
      CALLPASS_EDGE_SERVICE_ADDRESS: '127.0.0.1:1',
      CALLPASS_EDGE_LOG_REQUESTS: requests,
      CALLPASS_EDGE_VISITOR_SECRETS: 's'.repeat(32),
      ...more,
    },
  });
  const edge = await startEdge(settings, kept.log);
  running.push(edge);
  return { ...edge, ...kept };
}

const isRequest = ({ message }: KeptLine) => message === 'request';
const requestsIn = ({ lines }: KeptLog) => lines.filter(isRequest).map(({ fields }) => fields);
const PATH = '/v1/destinations/canary/credentials?canary=canary';

describe('a line for each request', () => {
  it('has method, route, status, reason, time, trace and visitor, and nothing that was sent', async () => {
    const edge = await start('all');
    const first = await fetch(`${edge.address}${PATH}`, {
      method: 'POST',
      headers: { 'x-canary': 'canary' },
    });
    const problem = (await first.json()) as { traceId: string };
    const line = await edge.said(isRequest);
    expect(line.fields).toEqual({
      method: 'POST',
      route: '/v1/destinations/:id/credentials',
      status: 503,
      reason: 'SERVICE_UNREACHABLE',
      durationMs: expect.any(Number),
      traceId: problem.traceId,
      visitor: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    const cookie = String(first.headers.get('set-cookie')).split(';')[0] ?? '';
    const at = edge.lines.length;
    await fetch(`${edge.address}${PATH}`, { method: 'POST', headers: { cookie } });
    expect((await edge.said(isRequest, at)).fields['visitor']).toBe(line.fields['visitor']);
    const id = /=([\w-]{22})\./.exec(cookie)?.[1] ?? '';
    expect(id).not.toBe('');
    for (const secret of ['canary', id, '127.0.0.1:'.concat(PATH)]) {
      expect(JSON.stringify(requestsIn(edge))).not.toContain(secret);
    }
  });

  it('is there also where there is no route, no request, or no longer a browser', async () => {
    const edge = await start('all');
    await fetch(`${edge.address}/canary`);
    const none = await edge.said(({ fields }) => fields['status'] === 404);
    expect(none.fields).toMatchObject({
      method: 'GET',
      reason: 'NOT_FOUND',
      traceId: expect.stringMatching(/./),
    });
    expect(none.fields['route']).toBeUndefined();

    await fetch(`${edge.address}/%ff-canary`, { method: 'POST' });
    const malformed = await edge.said(({ fields }) => fields['status'] === 400);
    expect(malformed.fields).toMatchObject({ method: 'POST', reason: 'REQUEST_INVALID' });

    const at = edge.lines.length;
    const port = Number(new URL(edge.address).port);
    connect(port, '127.0.0.1')
      .on('error', () => undefined)
      .end('canary\r\n\r\n');
    const rubbish = await edge.said(({ fields }) => fields['status'] === 400, at);
    expect(rubbish.fields).toMatchObject({ reason: 'REQUEST_INVALID', traceId: expect.stringMatching(/./) });

    const gone = connect(port, '127.0.0.1');
    gone.write(
      'POST /v1/destinations/d/credentials HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
      () => setImmediate(() => gone.destroy()),
    );
    await edge.said(({ fields }) => fields['status'] === 499);
    expect(JSON.stringify(edge.lines)).not.toContain('canary');
  });
});

it('log.requests says which requests have a line', async () => {
  const counts: Record<string, number> = {};
  for (const requests of ['off', 'none', 'refused', 'all']) {
    const edge = await start(requests);
    await fetch(`${edge.address}/healthz`);
    await fetch(`${edge.address}/canary`);
    await edge.stop();
    counts[requests] = requestsIn(edge).length;
  }
  expect(counts).toEqual({ off: 0, none: 0, refused: 1, all: 2 });
});

it('what failed and what was closed, and was only counted when the edge stops, has its line too', async () => {
  const edge = await start('refused', {
    CALLPASS_EDGE_CONNECTIONS_MAX_PER_PEER: '16',
    CALLPASS_EDGE_DRAIN_DELAY: '0s',
  });
  const failing = Array.from({ length: 5 }, () => fetch(`${edge.address}${PATH}`, { method: 'POST' }));
  await Promise.all(failing);
  const refused = Promise.withResolvers<void>();
  let leftToRefuse = 40 - 16;
  const idle = Array.from({ length: 40 }, () =>
    connect(Number(new URL(edge.address).port), '127.0.0.1')
      .on('error', () => undefined)
      .on('close', () => --leftToRefuse === 0 && refused.resolve())
      .resume(),
  );
  await refused.promise;
  for (const socket of idle) socket.destroy();
  await edge.stop();
  const counted = (said: string) =>
    edge.lines
      .filter(({ message }) => message.startsWith(said))
      .reduce((sum, { fields }) => sum + Number(fields['count'] ?? 1), 0);
  expect(counted('request')).toBe(5);
  expect(counted('failed')).toBe(5);
  expect(counted('a connection was closed')).toBeGreaterThanOrEqual(40 - 16);
  expect(edge.lines.at(-1)).toMatchObject({ message: 'stopped' });
});
