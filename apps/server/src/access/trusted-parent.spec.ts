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
/** A server by the setting `telemetry.trustTraceparentOf`, with a certificate of its client `one`. */
interface Trusting {
  readonly server: TlsServer;
  readonly certificate: CertifiedKey;
}
const servers = new Map<string, Trusting>();
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
  for (const [trusted, environment] of [
    ['by default', {}],
    ['clients', { CALLPASS_TELEMETRY_TRUST_TRACEPARENT_OF: 'clients' }],
    ['everybody', { CALLPASS_TELEMETRY_TRUST_TRACEPARENT_OF: 'everybody' }],
  ] as const) {
    const server = await startTlsServer({ environment });
    await server.configure(DOCUMENT + CLIENTS);
    const certificate = await server.authority.issue({ commonName: 'one', use: 'client' });
    servers.set(trusted, { server, certificate });
  }
});
afterAll(async () => {
  for (const { server } of servers.values()) await server.stop();
  await telemetry.stop();
  await receiver.close();
});

let lastTrace = 0;

/** Calls with a parent that is sampled or not, and returns the trace id. */
async function callWith(
  { server }: Trusting,
  flags: '00' | '01',
  credential: string | undefined,
  key?: CertifiedKey,
): Promise<string> {
  const traceId = (++lastTrace).toString(16).padStart(32, '0');
  const connection = connectPresenting(server.address, server.authority, key);
  const metadata = authorization(credential);
  metadata.set('traceparent', `00-${traceId}-00f067aa0ba902b7-${flags}`);
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

it.each(['by default', 'clients', 'everybody'])(
  'decides what is recorded only if it is of somebody whom the setting trusts: %s',
  async (trusted) => {
    const target = servers.get(trusted) as Trusting;
    const { server, certificate } = target;
    const nobody = await server.authority.issue({ commonName: 'nobody', use: 'client' });
    const callsOf = async (flags: '00' | '01') => {
      const call = (credential?: string, key?: CertifiedKey) => callWith(target, flags, credential, key);
      const token = `Bearer ${await server.jwt({ sub: 'one', jti: flags })}`;
      const strangers = [
        await call(),
        await call('Bearer nonsense'),
        await call(`Bearer ${await server.jwt({ sub: 'nobody' })}`),
        await call('Bearer nonsense', certificate),
        await call(undefined, nobody),
        // A JWT is verified behind the admission only, so the first call with it is one of a stranger still.
        await call(token),
      ];
      const clients = [
        await call(`Bearer ${known.token}`),
        await call(token),
        await call(undefined, certificate),
      ];
      return { strangers, clients };
    };
    const notSampled = await callsOf('00');
    const { strangers, clients } = await callsOf('01');
    const own = new Set([notSampled.strangers, notSampled.clients, strangers, clients].flat());
    const expected = trusted === 'everybody' ? [...strangers, ...clients] : clients;
    const recorded = () => new Set(receiver.spans().map(({ traceId }) => traceId));
    await receiver.waitFor(() => expected.every((traceId) => recorded().has(traceId)), 10_000);
    expect([...recorded()].filter((traceId) => own.has(traceId)).sort()).toEqual(expected.sort());
  },
);
