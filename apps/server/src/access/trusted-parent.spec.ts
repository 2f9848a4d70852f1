import { CredentialService } from '@callpass/contract';
import type { CertifiedKey } from '@callpass/dev-certificates';
import { createClient, RpcError } from '@callpass/grpc-kit';
import { startOtlpReceiver, type OtlpReceiver } from '@callpass/otlp-receiver';
import { startTelemetry, type Telemetry } from '@callpass/telemetry-sdk';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { authorization, connectPresenting } from '../testing/presented.ts';
import { DOCUMENT } from '../testing/test-server.ts';
import { startTlsServer, staticToken, type TlsServer } from '../testing/tls-server.ts';

const known = staticToken();
const CLIENTS = `
clients:
  - { name: one, identities: [{ tokenSha256: "${known.sha256}" }, { jwt: { issuer: "https://login.example", subject: one } }, { commonName: one }], grants: [] }
`;

let receiver: OtlpReceiver;
let telemetry: Telemetry;
let server: TlsServer;
let certificate: CertifiedKey;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0',
  });
  telemetry = await startTelemetry({ name: 'test', version: '0' });
  server = await startTlsServer();
  await server.configure(DOCUMENT + CLIENTS);
  certificate = await server.authority.issue({ commonName: 'one', use: 'client' });
});
afterAll(async () => {
  await server.stop();
  await telemetry.stop();
  await receiver.close();
});

let lastTrace = 0;

/** Calls with a parent that is sampled, and returns the trace id. */
async function callWith(credential: string | undefined, key?: CertifiedKey): Promise<string> {
  const traceId = (++lastTrace).toString(16).padStart(32, '0');
  const connection = connectPresenting(server.address, server.authority, key);
  const metadata = authorization(credential);
  metadata.set('traceparent', `00-${traceId}-00f067aa0ba902b7-01`);
  await createClient(CredentialService, connection)
    .issueCredentials({ destination: 'ecb' }, { metadata })
    .catch((error: unknown) => {
      if (!(error instanceof RpcError)) throw error;
      // Sampled or not, the trace goes on under its id.
      expect(
        JSON.stringify(error.details.map(({ value }) => Buffer.from(value).toString('latin1'))),
      ).toContain(traceId);
    });
  connection.close();
  return traceId;
}

it('decides what is recorded only if it is of a recognised client', async () => {
  const strangers = [
    await callWith(undefined),
    await callWith('Bearer nonsense'),
    await callWith(`Bearer ${await server.jwt({ sub: 'nobody' })}`),
    await callWith('Bearer nonsense', certificate),
    await callWith(undefined, await server.authority.issue({ commonName: 'nobody', use: 'client' })),
  ];
  const token = `Bearer ${await server.jwt({ sub: 'one' })}`;
  // A JWT is verified behind the admission only, so the first call with it is one of a stranger still.
  strangers.push(await callWith(token));
  const clients = [
    await callWith(`Bearer ${known.token}`),
    await callWith(token),
    await callWith(undefined, certificate),
  ];
  const recorded = () => new Set(receiver.spans().map(({ traceId }) => traceId));
  await receiver.waitFor(() => clients.every((traceId) => recorded().has(traceId)), 10_000);
  expect([...recorded()].filter((traceId) => strangers.includes(traceId))).toEqual([]);
});
