import { once } from 'node:events';
import { connect, type ClientHttp2Session } from 'node:http2';
import { LedgerService } from '@callpass/contract';
import { createClient } from '@callpass/grpc-kit';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { connectPresenting } from '../testing/presented.ts';
import { refusalOf } from '../testing/refusal.ts';
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

it.each([
  ["its client certificate's time", {}, 2_000],
  ['its age', { CALLPASS_CONNECTIONS_MAX_AGE: '1s' }, 3_600_000],
])(
  'lets a call end within the grace time when %s is over, and gives each that does not a reason',
  async (_what, age, validMs) => {
    await server.stop();
    server = await startTlsServer({ environment: { CALLPASS_CONNECTIONS_MAX_AGE_GRACE: '1s', ...age } });
    const { authority, address } = server;
    await connectWith(Date.now() + 3_600_000);
    const notAfter = new Date(Math.ceil((Date.now() + validMs) / 1000) * 1000);
    const pair = await authority.issue({ uris: ['spiffe://test/operator'], use: 'client', notAfter });
    const channel = connectPresenting(address, authority, pair);
    const call = { timeoutMs: 20_000 };
    const taken = async (stream: AsyncIterable<unknown>) => {
      for await (const _ of stream);
    };
    const endless = Array.from({ length: 3 }, () => [
      refusalOf(taken(createClient(LedgerService, channel).tailEntries({}, call))),
      refusalOf(taken(createClient(Health, channel).watch({}, call))),
    ]).flat();
    for (const refusal of await Promise.all(endless))
      expect(refusal).toMatchObject({ code: 'UNAVAILABLE', reason: 'SERVER_STOPPING' });
    channel.close();
  },
  30_000,
);
