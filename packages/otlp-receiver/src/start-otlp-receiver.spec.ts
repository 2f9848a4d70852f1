import { createConnection } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startOtlpReceiver, type OtlpReceiver } from './start-otlp-receiver.ts';
import { MAX_BODY_BYTES } from './request-body.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

function spans(...names: string[]): string {
  const list = names.map((name) => ({ name, traceId: 'A'.repeat(32), spanId: 'b'.repeat(16) }));
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: list }] }] });
}

function gauge(name: string, value: number, service = 'a'): string {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  const metrics = [{ name, gauge: { dataPoints: [{ asDouble: value }] } }];
  return JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] });
}

describe('startOtlpReceiver', () => {
  let receiver: OtlpReceiver;
  beforeEach(async () => {
    receiver = await startOtlpReceiver({ maxSpans: 5 });
  });
  afterEach(() => receiver.close());

  const post = (
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = JSON_TYPE,
  ) => fetch(receiver.url + path, { method: 'POST', body, headers });

  it('answers an empty JSON object, as OTLP asks for', async () => {
    const response = await post('/v1/traces', spans('a'));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    await expect(response.json()).resolves.toEqual({});
  });

  it('takes gzip and a content type with parameters', async () => {
    const headers = { 'content-type': 'Application/JSON; charset=utf-8', 'content-encoding': 'gzip' };
    const body = spans('zipped');
    expect((await post('/v1/traces', new Uint8Array(gzipSync(body)), headers)).status).toBe(200);
    expect(receiver.spans().map((span) => span.name)).toEqual(['zipped']);
    expect(receiver.raw()).toEqual([body]);
  });

  it('keeps the newest spans when it is full, and says how many had to go', async () => {
    await post('/v1/traces', spans('1', '2', '3', '4'));
    await post('/v1/traces', spans('5', '6', '7'));
    expect(receiver.spans().map((span) => span.name)).toEqual(['3', '4', '5', '6', '7']);
    expect(receiver.dropped()).toBe(2);
  });

  it('keeps the last export of a metric, for each process apart', async () => {
    await post('/v1/metrics', gauge('g', 1));
    await post('/v1/metrics', gauge('g', 5, 'b'));
    await post('/v1/metrics', gauge('g', 2));
    const seen = receiver
      .metrics()
      .map((metric) => [metric.resource['service.name'], metric.points[0]?.value]);
    expect(seen).toEqual([
      ['b', 5],
      ['a', 2],
    ]);
  });

  it('keeps at most 1,000 metrics', async () => {
    const metrics = Array.from({ length: 1_001 }, (_item, i) => ({
      name: `m${i}`,
      gauge: { dataPoints: [] },
    }));
    await post('/v1/metrics', JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }));
    expect(receiver.metrics()).toHaveLength(1_000);
    expect(receiver.metrics()[0]?.name).toBe('m1');
    expect(receiver.dropped()).toBe(1);
  });

  it('keeps bodies up to 32 Mi characters, the newest ones', async () => {
    const body = JSON.stringify({ filler: 'x'.repeat(4_000_000) });
    for (let i = 0; i < 9; i += 1) await post('/v1/traces', body);
    expect(receiver.raw()).toHaveLength(8);
    expect(receiver.dropped()).toBe(1);
  });

  it('forgets everything on clear', async () => {
    await post('/v1/traces', spans('a'));
    await post('/v1/metrics', gauge('g', 1));
    receiver.clear();
    expect([receiver.spans(), receiver.metrics(), receiver.raw()]).toEqual([[], [], []]);
  });

  it.each(['application/x-protobuf', 'text/plain', ''])(
    'refuses the content type "%s" and says what to set',
    async (type) => {
      const response = await post('/v1/traces', new Uint8Array([1, 2]), { 'content-type': type });
      expect(response.status).toBe(415);
      await expect(response.json()).resolves.toEqual({ message: expect.stringContaining('http/json') });
    },
  );

  it('refuses an encoding it does not know', async () => {
    expect((await post('/v1/traces', spans('a'), { ...JSON_TYPE, 'content-encoding': 'br' })).status).toBe(
      415,
    );
  });

  it('refuses a body one byte past the limit and takes one that just fits', async () => {
    const fitting = JSON.stringify({ filler: '' });
    const filler = 'x'.repeat(MAX_BODY_BYTES - fitting.length);
    expect((await post('/v1/traces', JSON.stringify({ filler }))).status).toBe(200);
    expect((await post('/v1/traces', JSON.stringify({ filler: `${filler}x` }))).status).toBe(413);
    expect(receiver.raw()).toHaveLength(1);
  });

  it('refuses a small body that unpacks past the limit', async () => {
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(MAX_BODY_BYTES + 1)));
    expect(bomb.length).toBeLessThan(10_000);
    expect((await post('/v1/traces', bomb, { ...JSON_TYPE, 'content-encoding': 'gzip' })).status).toBe(413);
  });

  it.each([
    ['broken JSON', '{"resourceSpans":[', {}],
    ['no object', '[]', {}],
    ['nothing', '', {}],
    ['broken gzip', 'not gzip', { 'content-encoding': 'gzip' }],
  ])('refuses %s', async (_what, body, headers) => {
    expect((await post('/v1/traces', body, { ...JSON_TYPE, ...headers })).status).toBe(400);
    expect(receiver.raw()).toEqual([]);
  });

  it.each([
    '{"resourceSpans":1}',
    '{"resourceSpans":[null,{"scopeSpans":[{"spans":[null,7,[]]}]}]}',
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":99,"status":"x","attributes":[1],"events":{}}]}]}]}',
    `{"resourceSpans":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
  ])('takes JSON of the wrong shape without failing: %.60s', async (body) => {
    const response = await post('/v1/traces', body);
    expect([200, 400]).toContain(response.status);
    expect((await post('/v1/traces', spans('after'))).status).toBe(200);
  });

  it('serves nothing else', async () => {
    expect((await post('/v1/profiles', '{}')).status).toBe(404);
    const got = await fetch(`${receiver.url}/v1/traces`);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('survives a client that goes away in the middle of a body', async () => {
    const { hostname, port } = new URL(receiver.url);
    await new Promise<void>((resolve) => {
      const socket = createConnection(Number(port), hostname, () => {
        socket.write(
          'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
        );
        socket.end();
      });
      socket.resume().on('close', () => resolve());
    });
    expect((await post('/v1/traces', spans('after'))).status).toBe(200);
  });

  it('answers waitFor at once when it is already true', async () => {
    await post('/v1/traces', spans('a'));
    await expect(receiver.waitFor((seen) => seen.spans()[0], 1_000)).resolves.toMatchObject({ name: 'a' });
  });

  it('answers waitFor when what it waits for arrives, not before', async () => {
    const found = receiver.waitFor((seen) => seen.spans().find((span) => span.name === 'b'), 5_000);
    await post('/v1/traces', spans('a'));
    await post('/v1/traces', spans('b'));
    await expect(found).resolves.toMatchObject({ name: 'b', traceId: 'a'.repeat(32) });
  });

  it('rejects waitFor when nothing that fits arrives in time', async () => {
    await expect(receiver.waitFor(() => false, 1)).rejects.toThrow('within 1 ms');
  });

  it('rejects waitFor when the predicate throws or the receiver closes', async () => {
    const waiting = receiver.waitFor(() => undefined, 60_000);
    const failing = receiver.waitFor(() => {
      throw new RangeError('mine');
    }, 60_000);
    await expect(failing).rejects.toThrow('mine');
    await Promise.all([expect(waiting).rejects.toThrow('closed'), receiver.close()]);
    await expect(receiver.waitFor(() => undefined, 60_000)).rejects.toThrow('closed');
  });

  it('ends open connections when it closes, and may be closed twice', async () => {
    const { hostname, port } = new URL(receiver.url);
    const ended = new Promise<void>((resolve, reject) => {
      const socket = createConnection(Number(port), hostname);
      socket.on('error', reject).on('connect', () => void receiver.close());
      socket.resume().on('close', () => resolve());
    });
    await ended;
    await receiver.close();
    await expect(fetch(receiver.url)).rejects.toThrow();
  });

  it.each(['0.0.0.0', '::', '192.168.0.1', 'example.com', ''])('refuses to listen on %j', async (host) => {
    await expect(startOtlpReceiver({ host })).rejects.toBeInstanceOf(TypeError);
  });

  it.each([0, -1, 1.5, NaN])('refuses maxSpans %d', async (maxSpans) => {
    await expect(startOtlpReceiver({ maxSpans })).rejects.toBeInstanceOf(TypeError);
  });

  it('rejects when the port is taken', async () => {
    const port = Number(new URL(receiver.url).port);
    await expect(startOtlpReceiver({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('lets pages of allowed origins export, preflight included, and no others', async () => {
    const open = await startOtlpReceiver({ isAllowedOrigin: (origin) => origin === 'http://page.example' });
    const preflight = async (url: string, origin: string) => {
      const { status, headers } = await fetch(`${url}/v1/traces`, { method: 'OPTIONS', headers: { origin } });
      const allowed = ['origin', 'methods', 'headers'].map((name) =>
        headers.get(`access-control-allow-${name}`),
      );
      return [status, ...allowed];
    };
    try {
      const headers = 'content-type, content-encoding';
      expect(await preflight(open.url, 'http://page.example')).toEqual([
        204,
        'http://page.example',
        'POST',
        headers,
      ]);
      expect(await preflight(open.url, 'http://other.example')).toEqual([204, null, null, null]);
      expect(await preflight(receiver.url, 'http://page.example')).toEqual([204, null, null, null]);
    } finally {
      await open.close();
    }
  });
});
