import { createAuthority, type CertifiedKey } from '@callpass/dev-certificates';
import { createClient } from '@callpass/grpc-kit';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { connectPresenting } from '../testing/presented.ts';
import { startTlsServer, type TlsServer } from '../testing/tls-server.ts';

let server: TlsServer;
const logged: { msg: string; fault?: string }[] = [];

beforeAll(async () => {
  const log = pino({}, { write: (line: string) => logged.push(JSON.parse(line) as (typeof logged)[number]) });
  server = await startTlsServer({ log, environment: { CALLPASS_TLS_CLIENT_CERTIFICATES: 'required' } });
});
afterAll(() => server.stop());

async function isServed(certificate?: CertifiedKey): Promise<boolean> {
  const connection = connectPresenting(server.address, server.authority, certificate);
  const served = await createClient(Health, connection)
    .check({})
    .then(
      () => true,
      () => false,
    );
  connection.close();
  return served;
}

it('a server that insists on certificates says why one was refused, once for each cause a minute', async () => {
  const day = 86_400_000;
  const times = { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) };
  const late = await server.authority.issue({ commonName: 'late', use: 'client', ...times });
  const stranger = await createAuthority();
  expect(await isServed(server.operator)).toBe(true);
  for (let again = 0; again < 3; again++) expect(await isServed(late)).toBe(false);
  expect(await isServed(await stranger.issue({ commonName: 'x', use: 'client' }))).toBe(false);
  const refused = logged.filter(({ msg }) => msg.includes('refused in the handshake'));
  expect(refused.map(({ fault }) => fault)).toEqual([
    'CERT_HAS_EXPIRED',
    expect.stringMatching(/^(UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)/),
  ]);
});
