import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, type LeafOptions } from '@callpass/dev-certificates';
import type { OtlpReceiver, ReceivedSpan } from '@callpass/otlp-receiver';
import { scriptOf } from '@callpass/testkit/programs';
import { run, startServerProcess } from './processes.ts';
import { tracedEnvironment } from './traced-service.ts';

const DAY_MS = 86_400_000;
const LIMIT_MS = 60_000;
const ISSUE = 'callpass.v1.CredentialService/IssueCredentials';

/** Times of a certificate that has expired yesterday. */
export const LATE = {
  notBefore: new Date(Date.now() - 2 * DAY_MS),
  notAfter: new Date(Date.now() - DAY_MS),
};

type Times = Pick<LeafOptions, 'notBefore' | 'notAfter'>;

/** A server with TLS, and the command line as a client with a certificate of the same authority. */
export interface TlsParties {
  /** Asks for credentials with the command line and gives both spans of the call, the server's where it got the call. */
  issue(): Promise<{ client: ReceivedSpan; server: ReceivedSpan | undefined }>;
  stop(): Promise<void>;
}

/** Starts them with certificates of these times, valid ones where none are given. */
export async function startTlsParties(
  receiver: OtlpReceiver,
  options: { server?: Times; client?: Times; clientCertificates?: 'optional' | 'required' },
): Promise<TlsParties> {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-e2e-tls-'));
  const file = (name: string) => join(folder, name);
  const authority = await createAuthority();
  writeFileSync(file('ca.crt'), authority.cert);
  for (const use of ['server', 'client'] as const) {
    const pair = await authority.issue({ use, commonName: use, names: ['127.0.0.1'], ...options[use] });
    writeFileSync(file(`${use}.crt`), pair.cert);
    writeFileSync(file(`${use}.key`), pair.key, { mode: 0o600 });
  }
  const server = await startServerProcess({
    ...tracedEnvironment(receiver),
    CALLPASS_ACCESS_LOCAL: 'none',
    CALLPASS_TLS_CERT_FILE: file('server.crt'),
    CALLPASS_TLS_KEY_FILE: file('server.key'),
    CALLPASS_TLS_CLIENT_CA_FILE: file('ca.crt'),
    CALLPASS_TLS_CLIENT_CERTIFICATES: options.clientCertificates ?? 'optional',
  });
  const environment = {
    ...tracedEnvironment(receiver),
    CALLPASS_ADDRESS: server.address,
    CALLPASS_CA: file('ca.crt'),
    CALLPASS_CERT: file('client.crt'),
    CALLPASS_KEY: file('client.key'),
  };
  return {
    async issue() {
      receiver.clear();
      await run('node', [scriptOf('cli'), 'issue', 'd'], { env: environment });
      return receiver.waitFor((all) => {
        const spans = all.spans().filter(({ name }) => name === ISSUE);
        const client = spans.find(({ kind }) => kind === 'CLIENT');
        const asked = client?.attributes['rpc.status_code'] !== 'UNAVAILABLE';
        const served = spans.find(({ kind, traceId }) => kind === 'SERVER' && traceId === client?.traceId);
        return client && (served || !asked) && { client, server: served };
      }, LIMIT_MS);
    },
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
