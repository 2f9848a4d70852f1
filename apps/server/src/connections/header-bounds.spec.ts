import { once } from 'node:events';
import { constants, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answerOf, CHECK, closePeers, openSession, statusOf, watchHealth } from '../testing/peers.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { startTlsServer } from '../testing/tls-server.ts';

const OTHER_PEER = '127.0.0.2';
const KIB = 1024;
const MAX_BYTES = 16 * KIB;
const MAX_HEADERS = 64;
const MAX_BINARY_VALUES = 16;
const REFUSED = { status: '8', reason: 'REQUEST_TOO_LARGE' };
const SERVED = { status: '0' };

const many = (count: number, value: string): OutgoingHttpHeaders =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, value]));

/** Headers of a call as HTTP/2 counts them: name, value and 32 bytes for each. */
const sizeOf = (headers: OutgoingHttpHeaders) =>
  Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + String(value).length + 32, 0);

const OVER: [what: string, headers: OutgoingHttpHeaders][] = [
  ['in one value', { a: 'x'.repeat(MAX_BYTES + KIB) }],
  ['in one value of 64 KiB', { a: '~'.repeat(64 * KIB) }],
  ['in one value of 79,000 bytes', { a: 'a'.repeat(79_000) }],
  ['in one credential', { authorization: `Bearer ${'x'.repeat(64 * KIB - 7)}` }],
  ['in one binary value of 79,000 bytes', { 'a-bin': 'a'.repeat(79_000) }],
  ['in two values of 79,000 bytes together', { a: '~'.repeat(39_500), b: '~'.repeat(39_500) }],
  ['together', many(20, 'x'.repeat(KIB))],
  ['in number', many(200, 'v')],
  ['in binary values', { 'a-bin': ','.repeat(MAX_BINARY_VALUES) }],
  ['in binary values of several headers', { 'a-bin': ','.repeat(7), 'b-bin': ['', ','.repeat(7)] }],
];

describe.each([
  ['in plain text', () => startTestServer(), false],
  ['over TLS', () => startTlsServer(), true],
])('headers %s', (_how, start: () => Promise<TestServer>, tls) => {
  let server: TestServer;
  let session: ClientHttp2Session;
  let ownBytes: number;
  let ownHeaders: number;
  beforeAll(async () => {
    server = await start();
    session = await openSession(server, { tls });
    const own = { ...CHECK, ':scheme': tls ? 'https' : 'http', ':authority': server.address };
    ownBytes = sizeOf(own);
    ownHeaders = Object.keys(own).length;
  });
  afterAll(async () => {
    closePeers();
    await server.stop();
  });

  it.each(OVER)(
    'that are too many %s are refused for their call, with a reason, and other calls of the connection go on',
    async (_what, headers) => {
      const other = watchHealth(session);
      await once(other, 'data');
      expect(await answerOf(session, headers)).toEqual(REFUSED);
      expect(await answerOf(session)).toMatchObject(SERVED);
      expect(other.closed).toBe(false);
      other.close();
    },
  );

  it('above 128 KiB together end their call without a status, and other calls of the connection go on', async () => {
    const other = watchHealth(session);
    await once(other, 'data');
    const { status, reason } = await answerOf(session, many(10, '~'.repeat(14_000)));
    expect([status, reason]).toEqual([`closed with ${constants.NGHTTP2_ENHANCE_YOUR_CALM}`, undefined]);
    expect(await answerOf(session)).toMatchObject(SERVED);
    expect(other.closed).toBe(false);
    other.close();
  });

  it('are served up to each bound, and refused from one more on', async () => {
    const value = 'x'.repeat(MAX_BYTES - ownBytes - 33);
    expect(await answerOf(session, { a: value })).toMatchObject(SERVED);
    expect(await answerOf(session, { a: `${value}x` })).toEqual(REFUSED);
    expect(await answerOf(session, many(MAX_HEADERS - ownHeaders, ''))).toMatchObject(SERVED);
    expect(await answerOf(session, many(MAX_HEADERS - ownHeaders + 1, ''))).toEqual(REFUSED);
    expect(await answerOf(session, { 'a-bin': ','.repeat(MAX_BINARY_VALUES - 1) })).toMatchObject(SERVED);
  });

  it('held by the calls of one connection have a bound, and those of others are not counted with them', async () => {
    const large = { a: 'x'.repeat(15 * KIB) };
    const holder = await openSession(server, { localAddress: OTHER_PEER, tls });
    // Never ended, so each holds its headers.
    for (let calls = 0; calls < 15; calls++)
      holder.request({ ...CHECK, ...large }).on('error', () => undefined);
    expect(await statusOf(holder, large)).toBe('0');
    holder.request({ ...CHECK, ...large }).on('error', () => undefined);
    expect(await answerOf(holder, large)).toEqual({ status: '8', reason: 'OVERLOADED' });
    expect(await statusOf(await openSession(server, { localAddress: OTHER_PEER, tls }))).toBe('0');
    expect(await statusOf(session)).toBe('0');
    holder.destroy();
  });
});
