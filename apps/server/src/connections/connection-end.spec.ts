import { once } from 'node:events';
import { connect, type ClientHttp2Session } from 'node:http2';
import { LedgerService } from '@callpass/contract';
import { createClient } from '@callpass/grpc-kit';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { expect, it } from '@jest/globals';
import { connectPresenting } from '../testing/presented.ts';
import { refusalOf } from '../testing/refusal.ts';
import { startTlsServer, type TlsServer } from '../testing/tls-server.ts';

/** A server, and what a test connects with it. */
interface Parties {
  readonly server: TlsServer;
  /** Connects with a certificate that is valid until then. */
  connectUntil(notAfterMs: number): Promise<ClientHttp2Session>;
}

/** Runs a test with a server of its own. The tests of this file wait for certificates to run out, and do so at the same time. */
const withServer =
  (environment: Record<string, string>, test: (parties: Parties) => Promise<void>) => async () => {
    const server = await startTlsServer({ environment });
    const sessions: ClientHttp2Session[] = [];
    try {
      await test({
        server,
        async connectUntil(notAfterMs) {
          const { authority } = server;
          const notAfter = new Date(notAfterMs);
          const { cert, key } = await authority.issue({ commonName: 'c', use: 'client', notAfter });
          const trust = { ca: authority.cert, servername: 'localhost' };
          const session = connect(`https://${server.address}`, { ...trust, cert, key });
          sessions.push(session);
          session.on('error', () => undefined);
          await once(session, 'remoteSettings');
          return session;
        },
      });
    } finally {
      for (const session of sessions) session.destroy();
      await server.stop();
    }
  };

it.concurrent(
  "ends a connection without an error when its client certificate's time is over",
  withServer({}, async ({ connectUntil }) => {
    const endMs = Math.ceil(Date.now() / 1000) * 1000 + 4_000;
    const session = await connectUntil(endMs);
    const [code, lastStreamId] = (await once(session, 'goaway')) as [number, number];
    expect({ code, lastStreamId }).toEqual({ code: 0, lastStreamId: 2 ** 31 - 1 });
    expect(Date.now()).toBeGreaterThanOrEqual(endMs - 50);
    expect(Date.now()).toBeLessThan(endMs + 3_000);
  }),
);

it.concurrent(
  'ends it before, where there is time to connect with a renewed one',
  withServer({}, async ({ connectUntil }) => {
    const endMs = Math.ceil(Date.now() / 1000) * 1000 + 13_000;
    await once(await connectUntil(endMs), 'goaway');
    expect(Date.now()).toBeLessThan(endMs - 1_000);
  }),
);

const ENDS = [
  { what: "its client certificate's time", age: {}, validMs: 2_000 },
  { what: 'its age', age: { CALLPASS_CONNECTIONS_MAX_AGE: '1s' }, validMs: 3_600_000 },
];
for (const { what, age, validMs } of ENDS) {
  it.concurrent(
    `lets a call end within the grace time when ${what} is over, and gives each that does not a reason`,
    withServer({ CALLPASS_CONNECTIONS_MAX_AGE_GRACE: '1s', ...age }, async ({ server, connectUntil }) => {
      const { authority, address } = server;
      await connectUntil(Date.now() + 3_600_000);
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
    }),
  );
}
