import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { answerOf, CHECK, closePeers, openSession } from '../testing/peers.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const OF_CONNECTION = 16;
const OF_PEER = 128;
const OF_ALL = 2048;
const REFUSED = { status: '8', reason: 'OVERLOADED' };
const SERVED = { status: '0' };

const WATCH = '/grpc.health.v1.Health/Watch';
/** Each RPC whose callers may keep it open. */
const KINDS = [
  WATCH,
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
];

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(async () => {
  closePeers();
  await server.stop();
});

/** Opens a stream of a kind and waits for its first answer. */
async function hold(session: ClientHttp2Session, kind: number): Promise<ClientHttp2Stream> {
  const path = KINDS[kind % KINDS.length];
  const stream = session.request({ ...CHECK, ':path': path }, { endStream: false });
  stream.on('error', () => undefined).write(Buffer.alloc(5));
  // A conversation that has no end of its requests stays open, a Watch stays open by itself.
  if (path === WATCH) stream.end();
  await once(stream, 'data');
  stream.resume();
  return stream;
}

/** Opens as many as one connection may have, some of each kind. */
const holdAll = (session: ClientHttp2Session) =>
  Promise.all(Array.from({ length: OF_CONNECTION }, (_, kind) => hold(session, kind)));

const connections = (localAddress: string, count: number) =>
  Promise.all(Array.from({ length: count }, () => openSession(server, { localAddress })));

async function expectRefused(session: ClientHttp2Session): Promise<void> {
  for (const path of KINDS) expect(await answerOf(session, { ':path': path })).toEqual(REFUSED);
  expect(await answerOf(session)).toMatchObject(SERVED);
}

describe('streams that stay open', () => {
  it('have a bound for each connection and each peer, and leave room when they end', async () => {
    const sessions = await connections('127.0.0.2', OF_PEER / OF_CONNECTION + 1);
    const last = sessions.pop() as ClientHttp2Session;
    const [first, ...others] = sessions as [ClientHttp2Session, ...ClientHttp2Session[]];
    const [gone] = await holdAll(first);
    await expectRefused(first);
    await Promise.all(others.map(holdAll));
    await expectRefused(last);
    gone?.close(constants.NGHTTP2_CANCEL);
    await once(gone as ClientHttp2Stream, 'close');
    await hold(last, 0);
  });

  it('have a bound for all peers together, and leave room when they end', async () => {
    const held: ClientHttp2Session[] = [];
    for (let peer = 0; peer < OF_ALL / OF_PEER; peer++)
      held.push(...(await connections(`127.0.1.${peer + 1}`, OF_PEER / OF_CONNECTION)));
    await Promise.all(held.map(holdAll));
    const newcomer = await openSession(server, { localAddress: '127.0.2.1' });
    await expectRefused(newcomer);
    await server.admin.getConfiguration({});
    held[0]?.destroy();
    // The server hears of the end of a connection a little later.
    while ((await answerOf(newcomer, { ':path': WATCH, 'grpc-timeout': '500m' })).status === '8');
    await Promise.all(Array.from({ length: OF_CONNECTION - 1 }, (_, kind) => hold(newcomer, kind)));
  });
});
