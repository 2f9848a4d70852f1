import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AdminService,
  BatchIssueCredentialsRequestSchema,
  BatchIssueCredentialsResponseSchema,
  Cipher,
  CredentialService,
  IssueCredentialsRequestSchema,
  IssueCredentialsResponseSchema,
} from '@callpass/contract';
import { connect, createClient, methodPath, type Connection } from '@callpass/grpc-kit';
import { credentials } from '@grpc/grpc-js';
import { type BenchChild, startNode } from './child-process.ts';

const BIN = join(import.meta.dirname, '../../../../apps/server/bin/callpass-server.js');

/** The realm and destination that the load asks for. */
const REALM = { name: 'bench.example', cipher: Cipher.AES_128_ECB } as const;
const REQUEST = { destination: 'support', subject: 'visitor-7c9e6679-7425-40de-944b' } as const;

/** A unary call as the load generator makes it, and how large its answer is. */
export interface ExampleCall {
  readonly path: string;
  /** The encoded request. */
  readonly message: Uint8Array;
  /** Bytes of the answer to it, give or take the few by which encoded times differ. */
  readonly responseBytes: number;
}

/** The whole server, running on a store of its own, set up through its own door. */
export interface CallpassServer {
  readonly child: BenchChild;
  readonly address: string;
  /** One `IssueCredentials`. */
  readonly single: ExampleCall;
  /** One `BatchIssueCredentials` of that many. */
  batch(size: number): Promise<ExampleCall>;
  stop(): Promise<void>;
}

/** Starts the built server with its ledger, and with telemetry that goes to `telemetryUrl` with 1 % of the traces. */
export async function startCallpassServer(
  telemetryUrl: string,
  { destinations = 1 }: { destinations?: number } = {},
): Promise<CallpassServer> {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-bench-'));
  const child = startNode([BIN, 'serve'], {
    CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
    CALLPASS_STORE_URL: `sqlite:${join(folder, 'callpass.db')}`,
    CALLPASS_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    CALLPASS_ACCESS_LOCAL: 'everything',
    CALLPASS_LOG_LEVEL: 'warn',
    // A document of 100,000 destinations has more than the 4 MiB that are taken by default.
    CALLPASS_REQUESTS_MAX_MESSAGE_BYTES: String(64 * 1024 * 1024),
    OTEL_EXPORTER_OTLP_ENDPOINT: telemetryUrl,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.01',
  });
  const stop = async () => {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const address = ((await child.message()) as { ready: { grpc: string } }).ready.grpc;
    const connection = connect({
      address,
      credentials: credentials.createInsecure(),
      channelOptions: { 'grpc.max_receive_message_length': -1 },
    });
    await provision(connection, destinations);
    const single = await singleCall(connection);
    return {
      child,
      address,
      single,
      batch: (size) => batchCall(connection, size),
      async stop() {
        connection.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function provision(connection: Connection, destinations: number): Promise<void> {
  const admin = createClient(AdminService, connection);
  const { name, cipher } = REALM;
  await admin.applyConfiguration(
    {
      configuration: {
        realms: [{ name, cipher, tokenLifetime: { seconds: 600n }, maxClockSkew: { seconds: 30n } }],
        destinations: Array.from({ length: destinations }, (_, index) => ({
          id: index === 0 ? REQUEST.destination : `${REQUEST.destination}-${index}`,
          realm: name,
          account: 'anonymous@kandy.example',
          callees: ['support@kandy.example'],
        })),
      },
      expectedRevision: 0,
    },
    { timeoutMs: 60_000 },
  );
  const { realmKey } = await admin.addRealmKey({ realm: name });
  await admin.activateRealmKey({ realm: name, version: realmKey?.version ?? 0 });
}

// The load is answered with statuses and sizes only, so one call of each kind is looked at closely first.

async function singleCall(connection: Connection): Promise<ExampleCall> {
  const answer = await createClient(CredentialService, connection).issueCredentials(REQUEST);
  if (answer.grant.case !== 'timeLimited') throw new Error('the server issues no tokens');
  return {
    path: methodPath(CredentialService.method.issueCredentials),
    message: toBinary(IssueCredentialsRequestSchema, create(IssueCredentialsRequestSchema, REQUEST)),
    responseBytes: toBinary(IssueCredentialsResponseSchema, answer).length,
  };
}

async function batchCall(connection: Connection, size: number): Promise<ExampleCall> {
  const request = create(BatchIssueCredentialsRequestSchema, {
    requests: Array.from({ length: size }, () => REQUEST),
  });
  const answer = await createClient(CredentialService, connection).batchIssueCredentials(request);
  const issued = answer.results.filter(({ result }) => result.case === 'response').length;
  if (issued !== size) throw new Error(`a batch of ${size} issued ${issued}`);
  return {
    path: methodPath(CredentialService.method.batchIssueCredentials),
    message: toBinary(BatchIssueCredentialsRequestSchema, request),
    responseBytes: toBinary(BatchIssueCredentialsResponseSchema, answer).length,
  };
}
