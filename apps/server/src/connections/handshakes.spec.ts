import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2, createServer } from 'node:http2';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createClient } from '@callpass/grpc-kit';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import type { ConnectionCause } from '@callpass/telemetry';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startTestServer } from '../testing/test-server.ts';
import { startTlsServer } from '../testing/tls-server.ts';
import { ConnectionGuard } from './connection-guard.ts';
import { ConnectionQueue } from './connection-queue.ts';
import { handshakeLimits } from './handshakes.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
/** Head of a record of TLS that announces 512 bytes of a handshake, and the first of them. */
const PART_OF_HELLO = Buffer.from('160301020001000001', 'hex');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function tcp(port: number, localAddress: string): Socket {
  const socket = connectTcp({ host: '127.0.0.1', port, localAddress });
  socket.on('error', () => undefined).resume();
  cleanups.push(() => socket.destroy());
  return socket;
}

const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

type Hold = (port: number, from: string) => Promise<Socket>;
const after =
  (sent: Buffer | undefined): Hold =>
  async (port, from) => {
    const socket = tcp(port, from);
    await once(socket, 'connect');
    if (sent !== undefined) socket.write(sent);
    return socket;
  };
const afterTls: Hold = async (port, from) => {
  const socket = tcp(port, from);
  const options = { socket, rejectUnauthorized: false, ALPNProtocols: ['h2'] };
  const encrypted = connectTls(options).on('error', () => undefined);
  await Promise.race([once(encrypted.resume(), 'secureConnect'), closed(socket)]);
  return socket;
};

describe('two addresses that do not finish their handshakes do not take the places of others', () => {
  const PLACES = 64;
  const environment = { CALLPASS_CONNECTIONS_MAX: String(PLACES), CALLPASS_CONNECTIONS_MAX_PER_PEER: '32' };

  it.each([
    ['nothing is sent in plain text', startTestServer, after(undefined)],
    ['half of the preface is sent', startTestServer, after(PREFACE.subarray(0, 9))],
    ['the settings are not confirmed', startTestServer, after(PREFACE)],
    ['nothing is sent in place of TLS', startTlsServer, after(undefined)],
    ['part of a handshake of TLS is sent', startTlsServer, after(PART_OF_HELLO)],
    ['TLS is finished and nothing more is sent', startTlsServer, afterTls],
  ])('%s', async (_what, start, hold) => {
    const server = await start({ environment });
    cleanups.push(() => server.stop());
    const port = Number(server.address.split(':')[1]);
    const served = createClient(Health, server.connection);
    await served.check({});
    for (let round = 0; round < 2; round++) {
      for (let count = 0; count < PLACES; count++) await hold(port, `127.0.0.${2 + (count % 2)}`);
      const neighbour = tcp(port, '127.0.0.4');
      // The server accepts in the order of connecting, so a place of the neighbour's is kept until here.
      const answer =
        start === startTlsServer ? connectTls({ socket: neighbour, rejectUnauthorized: false }) : neighbour;
      if (answer === neighbour) answer.write(PREFACE);
      await once(answer, answer === neighbour ? 'data' : 'secureConnect');
      await served.check({});
    }
  });
});

describe('a guarded server', () => {
  async function guarded(bounds: { max: number; maxPerPeer: number }) {
    const server = createServer();
    const causes: ConnectionCause[] = [];
    const guard = new ConnectionGuard(
      {
        ...bounds,
        handshakeTimeoutMs: 60_000,
        minPingIntervalMs: 0,
        maxResetsPerSecond: 0,
        maxHeaderBytes: 16_384,
        maxUnfinishedBytes: 1_048_576,
      },
      { onRejected: (cause) => causes.push(cause), isRecognised: () => true },
    );
    cleanups.push(() => guard.stop());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => server.close());
    guard.guard(server);
    const { port } = server.address() as AddressInfo;
    const finished = async (from: string): Promise<ClientHttp2Session> => {
      const session = connectHttp2(`http://127.0.0.1:${port}`, { createConnection: () => tcp(port, from) });
      session.on('error', () => undefined);
      await once(session, 'localSettings');
      // An answer to a ping comes after the server has read the confirmation of its settings.
      await new Promise((resolve) => session.ping(resolve));
      return session;
    };
    return { guard, causes, port, finished };
  }

  it('closes the oldest handshake of a peer with too many, counts it, and keeps the finished ones', async () => {
    const { guard, causes, port, finished } = await guarded({ max: 100, maxPerPeer: 100 });
    const session = await finished('127.0.0.2');
    const oldest = tcp(port, '127.0.0.2');
    const gone = closed(oldest);
    for (let count = 0; count < 25; count++) tcp(port, '127.0.0.2');
    await gone;
    expect(causes).toEqual(['unfinished']);
    expect([guard.open, session.destroyed]).toEqual([26, false]);
  });

  it('gives the place of an unfinished handshake to the next connection where all are taken, and of a finished one to nobody', async () => {
    const { guard, causes, port, finished } = await guarded({ max: 2, maxPerPeer: 0 });
    const unfinished = tcp(port, '127.0.0.2');
    const gone = closed(unfinished);
    await once(unfinished, 'connect');
    const sessions = [await finished('127.0.0.3'), await finished('127.0.0.4')];
    await gone;
    await closed(tcp(port, '127.0.0.5'));
    expect(causes).toEqual(['unfinished', 'total']);
    expect(guard.open).toBe(2);
    expect(sessions.map(({ destroyed }) => destroyed)).toEqual([false, false]);
  });

  it('takes no place from others for a peer that has all of its own', async () => {
    const { causes, port, finished } = await guarded({ max: 2, maxPerPeer: 1 });
    await finished('127.0.0.2');
    const other = tcp(port, '127.0.0.3');
    await once(other, 'connect');
    await closed(tcp(port, '127.0.0.2'));
    expect(causes).toEqual(['peer']);
    expect(other.destroyed).toBe(false);
  });
});

describe('the queue of handshakes', () => {
  it('has a share of all, of which no peer has more than its own', () => {
    const handshakes = new ConnectionQueue(handshakeLimits({ max: 2048, maxPerPeer: 1024 }));
    const begin = (peer: string, count: number) =>
      Array.from({ length: count }, () => handshakes.add({ peer })).filter((late) => late !== undefined);
    expect(begin('a', 256)).toEqual([]);
    expect(begin('b', 256)).toEqual([]);
    expect(begin('b', 1)).toEqual([{ peer: 'b' }]);
    expect(begin('c', 1)).toEqual([{ peer: 'a' }]);
  });

  it('has one share for all where one address carries all clients', () => {
    const handshakes = new ConnectionQueue(handshakeLimits({ max: 2048, maxPerPeer: 0 }));
    const late = Array.from({ length: 513 }, () => handshakes.add({ peer: 'proxy' }));
    expect(late.filter((each) => each !== undefined)).toHaveLength(1);
  });

  it('remembers nothing of a peer whose handshakes are over', () => {
    const handshakes = new ConnectionQueue(handshakeLimits({ max: 16, maxPerPeer: 16 }));
    const one = { peer: 'a' };
    handshakes.add(one);
    handshakes.delete(one);
    handshakes.delete(one);
    expect(handshakes.oldest('a')).toBeUndefined();
    expect(handshakes.oldest()).toBeUndefined();
  });
});
