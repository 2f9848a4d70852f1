import { once } from 'node:events';
import { type ClientHttp2Session, constants } from 'node:http2';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { setTimeout } from 'node:timers/promises';
import { createClient } from '@callpass/grpc-kit';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CHECK, closePeers, openSession, openSocket, statusOf, watchHealth } from '../testing/peers.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { startTlsServer } from '../testing/tls-server.ts';

const OTHER_PEER = '127.0.0.2';
/** A call that is for recognised clients. */
const CONFIGURATION = { ':path': '/callpass.v1.AdminService/GetConfiguration' };
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');

const INVALID_ARGUMENT = '3';
const RESOURCE_EXHAUSTED = '8';
const UNIMPLEMENTED = '12';

let server: TestServer;
afterEach(async () => {
  closePeers();
  await server.stop();
});

/** Resolves when a peer's connection or call is closed, also when that comes with an error. */
const closed = (peer: NodeJS.EventEmitter) => new Promise((resolve) => peer.once('close', resolve));

const tcp = (localAddress?: string) => openSocket(server, localAddress);
const http2 = (localAddress?: string, { tls = false } = {}) => openSession(server, { localAddress, tls });

/** The GOAWAY of the server. */
function goAway(session: ClientHttp2Session): Promise<{ code: number; why: string }> {
  return new Promise((resolve) => {
    session.once('goaway', (code, _last, why) => resolve({ code, why: String(why) }));
  });
}

/** Tests that the server says anything to a connection before it ends it. */
function isGreeted(socket: Socket): Promise<boolean> {
  socket.write(PREFACE);
  return Promise.race([once(socket, 'data').then(() => true), closed(socket).then(() => false)]).catch(
    () => false,
  );
}

const isServed = () => createClient(Health, server.connection).check({});

describe('the number of connections', () => {
  it('has an end: one more is refused, those that are open go on, and a place that was left is taken again', async () => {
    server = await startTestServer({ environment: { CALLPASS_CONNECTIONS_MAX: '2' } });
    await isServed();
    const second = await http2();
    // Whoever was recognised keeps the place.
    await server.admin.getConfiguration({});
    expect(await statusOf(second, CONFIGURATION)).toBe('0');
    await closed(tcp());
    expect(await statusOf(second)).toBe('0');
    second.destroy();
    await closed(second);
    // The server hears of the end of a connection a little later.
    while (!(await isGreeted(tcp()))) continue;
    await isServed();
  });

  it('has an end for each peer, so that one cannot have the places of all others', async () => {
    server = await startTestServer({ environment: { CALLPASS_CONNECTIONS_MAX_PER_PEER: '1' } });
    const first = await http2(OTHER_PEER);
    expect(await statusOf(first, CONFIGURATION)).toBe('0');
    await closed(tcp(OTHER_PEER));
    await isServed();
    expect(await statusOf(first)).toBe('0');
  });

  it('is kept before TLS: a peer without a place costs no handshake', async () => {
    server = await startTlsServer({ environment: { CALLPASS_CONNECTIONS_MAX: '1' } });
    // Whoever was recognised keeps the place.
    await server.admin.getConfiguration({});
    const socket = tcp();
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await closed(socket);
    expect(bytes).toBe(0);
    await isServed();
  });
});

describe('a peer that connects', () => {
  const environment = { CALLPASS_CONNECTIONS_HANDSHAKE_TIMEOUT: '300ms' };

  it('and says nothing loses its place', async () => {
    server = await startTestServer({ environment });
    await closed(tcp());
  });

  it('and says nothing in place of a TLS handshake loses its place', async () => {
    server = await startTlsServer({ environment });
    await closed(tcp());
  });

  it('and says nothing more after its TLS handshake loses its place', async () => {
    server = await startTlsServer({ environment });
    const encrypted = connectTls({ socket: tcp(), rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    encrypted.on('error', () => undefined).resume();
    await once(encrypted, 'secureConnect');
    await closed(encrypted);
  });

  it('and never confirms the settings, so that limits of headers would not hold for it, loses its place', async () => {
    server = await startTestServer({ environment });
    const socket = tcp();
    socket.write(PREFACE);
    await closed(socket);
  });

  it('and greets as HTTP/2 wants it keeps its place, over TLS too', async () => {
    const [plain, encrypted] = [
      await startTestServer({ environment }),
      await startTlsServer({ environment }),
    ];
    for (server of [plain, encrypted]) {
      await isServed();
      let ended = false;
      server.connection.grpcClient
        .getChannel()
        .watchConnectivityState(2, Date.now() + 600, () => (ended = true));
      await setTimeout(500);
      expect(ended).toBe(false);
      await isServed();
    }
    await plain.stop();
  });
});

describe('pings', () => {
  it('that come too soon end the connection, and the client is told why as gRPC does', async () => {
    server = await startTestServer();
    const session = await http2();
    const ended = goAway(session);
    for (let pings = 0; pings < 4; pings++) session.ping(() => undefined);
    expect(await ended).toEqual({ code: constants.NGHTTP2_ENHANCE_YOUR_CALM, why: 'too_many_pings' });
    await closed(session);
    await isServed();
  });

  it('after each answer are those of a client that measures its way, and end nothing', async () => {
    server = await startTestServer();
    const session = await http2();
    for (let calls = 0; calls < 10; calls++) {
      expect(await statusOf(session)).toBe('0');
      await new Promise((resolve) => session.ping(resolve));
    }
    expect(session.destroyed).toBe(false);
  });
});

describe('calls that are taken back', () => {
  const environment = { CALLPASS_CONNECTIONS_MAX_RESETS_PER_SECOND: '2' };

  async function resetMany(session: ClientHttp2Session): Promise<void> {
    while (!session.destroyed) {
      const stream = watchHealth(session);
      const ended = closed(stream);
      await Promise.race([new Promise((resolve) => stream.once('data', resolve)), ended]);
      stream.close(constants.NGHTTP2_CANCEL);
      await ended;
    }
  }

  it('faster than is allowed cost the peer its connection, and the next one it makes; others are served', async () => {
    server = await startTestServer({ environment });
    const session = await http2(OTHER_PEER);
    const ended = goAway(session);
    await resetMany(session);
    expect(await ended).toEqual({ code: constants.NGHTTP2_ENHANCE_YOUR_CALM, why: 'too_many_resets' });
    await closed(tcp(OTHER_PEER));
    await isServed();
  });

  it.each([
    ['in plain text', false],
    ['with TLS', true],
  ])(
    'are not those of a connection that is lost: a client that is restarted is let in again, %s',
    async (_how, tls) => {
      server = await (tls ? startTlsServer({ environment }) : startTestServer({ environment }));
      for (let restarts = 0; restarts < 3; restarts++) {
        const session = await http2(OTHER_PEER, { tls });
        await Promise.all(Array.from({ length: 15 }, () => once(watchHealth(session), 'data')));
        session.destroy();
        await closed(session);
      }
      expect(await statusOf(await http2(OTHER_PEER, { tls }))).toBe('0');
    },
  );
});

describe('requests that are not for this server', () => {
  it.each([
    ['for no RPC', { ':path': '/grpc.health.v1.Health/Nothing' }, UNIMPLEMENTED],
    ['compressed', { 'grpc-encoding': 'gzip' }, UNIMPLEMENTED],
    ['with a time limit that is none', { 'grpc-timeout': '1 hour' }, INVALID_ARGUMENT],
  ])('%s are refused', async (_what, headers, status) => {
    server = await startTestServer();
    expect(await statusOf(await http2(), headers)).toBe(status);
    await isServed();
  });

  it.each(['2147484S', '99999999H', '99999999m'])(
    'a time limit of %s, longer than any timer, is no limit that is over',
    async (timeout) => {
      server = await startTestServer();
      expect(await statusOf(await http2(), { 'grpc-timeout': timeout })).toBe('0');
    },
  );
});

describe('requests that are not complete', () => {
  it('are held up to a bound for each peer, and others are served', async () => {
    server = await startTestServer({ environment: { CALLPASS_REQUESTS_MAX_MESSAGE_BYTES: '65536' } });
    const ends: Promise<unknown>[] = [];
    const sessions: ClientHttp2Session[] = [];
    const prefix = Buffer.from([0, 0, 1, 0, 0]);
    for (let connections = 0; connections < 3; connections++) {
      const session = await http2(OTHER_PEER);
      sessions.push(session);
      for (let calls = 0; calls < 5; calls++) {
        const stream = session.request({ ...CHECK, ':path': '/callpass.v1.AdminService/ApplyConfiguration' });
        stream.on('error', () => undefined).write(Buffer.concat([prefix, Buffer.alloc(60_000)]));
        ends.push(
          once(stream, 'response').then(([header]) => (header as Record<string, unknown>)['grpc-status']),
        );
      }
    }
    // Fifteen are 900 KB, and four messages of 64 KiB may be here: so at least one had to go.
    expect(await Promise.race(ends)).toBe(RESOURCE_EXHAUSTED);
    await isServed();
    for (const session of sessions) session.destroy();
    await Promise.all(sessions.map(closed));
    expect(await statusOf(await http2(OTHER_PEER))).toBe('0');
  });

  it.each([
    ['/grpc.health.v1.Health/Check', 33 * 1024],
    ['/callpass.v1.CredentialService/IssueCredentials', 33 * 1024],
    ['/callpass.v1.CredentialService/BatchIssueCredentials', 1025 * 1024],
    ['/callpass.v1.AdminService/ApplyConfiguration', 5 * 1024 * 1024],
  ])('are refused by their length before they come: %s', async (path, length) => {
    server = await startTestServer();
    const stream = (await http2()).request({ ...CHECK, ':path': path });
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(length, 1);
    stream.on('error', () => undefined).write(prefix);
    const [header] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(header['grpc-status']).toBe(RESOURCE_EXHAUSTED);
    await isServed();
  });
});
