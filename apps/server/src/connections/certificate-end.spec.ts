import { once } from 'node:events';
import { connect, type ClientHttp2Session } from 'node:http2';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { startTlsServer, type TlsServer } from '../testing/tls-server.ts';

let server: TlsServer;
let session: ClientHttp2Session;
beforeEach(async () => {
  server = await startTlsServer();
});
afterEach(async () => {
  session.destroy();
  await server.stop();
});

async function connectWith(notAfterMs: number): Promise<void> {
  const { authority } = server;
  const { cert, key } = await authority.issue({
    commonName: 'c',
    use: 'client',
    notAfter: new Date(notAfterMs),
  });
  session = connect(`https://${server.address}`, { ca: authority.cert, cert, key, servername: 'localhost' });
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
}

it("ends a connection without an error when its client certificate's time is over", async () => {
  const endMs = Math.ceil(Date.now() / 1000) * 1000 + 4_000;
  await connectWith(endMs);
  const [code, lastStreamId] = (await once(session, 'goaway')) as [number, number];
  expect({ code, lastStreamId }).toEqual({ code: 0, lastStreamId: 2 ** 31 - 1 });
  expect(Date.now()).toBeGreaterThanOrEqual(endMs - 50);
  expect(Date.now()).toBeLessThan(endMs + 3_000);
}, 30_000);

it('ends it before, where there is time to connect with a renewed one', async () => {
  const endMs = Math.ceil(Date.now() / 1000) * 1000 + 13_000;
  await connectWith(endMs);
  await once(session, 'goaway');
  expect(Date.now()).toBeLessThan(endMs - 1_000);
}, 30_000);
