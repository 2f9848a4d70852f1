import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createClient } from '@callpass/grpc-kit';
import { AdminService } from '@callpass/contract';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { connectPresenting } from '../testing/presented.ts';
import { startTlsServer, type TlsServer } from '../testing/tls-server.ts';

const PLACES = 12;
const OF_ONE = 6;
const STRANGERS = ['127.0.0.2', '127.0.0.3'];

let server: TlsServer;
const cleanups: (() => unknown)[] = [];
beforeEach(async () => {
  const places = { CALLPASS_CONNECTIONS_MAX: `${PLACES}`, CALLPASS_CONNECTIONS_MAX_PER_PEER: `${OF_ONE}` };
  server = await startTlsServer({ environment: places });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await server.stop();
});

/** A connection whose handshakes are finished, without a certificate. */
async function stranger(localAddress: string): Promise<ClientHttp2Session> {
  const port = Number(server.address.split(':')[1]);
  const session = connectHttp2(`https://${server.address}`, {
    createConnection: () =>
      connectTls({
        socket: connectTcp({ host: '127.0.0.1', port, localAddress }),
        rejectUnauthorized: false,
        ALPNProtocols: ['h2'],
      }),
    settings: { initialWindowSize: 0 },
  });
  session.on('error', () => undefined);
  cleanups.push(() => session.destroy());
  await once(session, 'localSettings');
  return session;
}

function call(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
  stream.on('error', () => undefined);
  return stream;
}

/** Asks on a connection of its own, as the operator. */
async function ask(): Promise<number | undefined> {
  const connection = connectPresenting(server.address, server.authority, server.operator);
  cleanups.push(() => connection.close());
  return (await createClient(AdminService, connection).getConfiguration({})).revision?.revision;
}

type Keep = (session: ClientHttp2Session) => unknown;
it.each<[string, Keep]>([
  ['idle', () => undefined],
  [
    'with a call that is never complete',
    (session) => call(session, '/callpass.v1.CredentialService/IssueCredentials'),
  ],
  [
    'with a stream that stays',
    (session) => call(session, '/grpc.health.v1.Health/Watch').end(Buffer.alloc(5)),
  ],
  [
    'whose answer is never read',
    (session) => call(session, '/grpc.health.v1.Health/Check').end(Buffer.alloc(5)),
  ],
])('connections of strangers, %s, do not keep clients out, whose own stay open', async (_what, keep) => {
  await server.admin.getConfiguration({});
  for (const from of STRANGERS) for (let at = 0; at < OF_ONE; at++) keep(await stranger(from));
  await ask();
  await ask();
  await server.admin.getConfiguration({});
});

it('recognised clients keep their places: one more is refused while they have all of them', async () => {
  await server.admin.getConfiguration({});
  for (let at = 1; at < OF_ONE; at++) await ask();
  const port = Number(server.address.split(':')[1]);
  const socket = connectTcp({ host: '127.0.0.1', port });
  await new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve));
  expect((await server.admin.getConfiguration({})).revision?.revision).toBe(0);
});
