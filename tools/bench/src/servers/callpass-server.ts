import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AdminService,
  BatchIssueCredentialsRequestSchema,
  BatchIssueCredentialsResponseSchema,
  BatchValidateTokensRequestSchema,
  BatchValidateTokensResponseSchema,
  Cipher,
  CredentialService,
  IssueCredentialsRequestSchema,
  IssueCredentialsResponseSchema,
  LimitScope,
  Role,
  TokenKind,
  ValidateTokenRequestSchema,
  ValidateTokenResponseSchema,
  Verdict,
} from '@callpass/contract';
import { connect, createClient, methodPath, type Connection } from '@callpass/grpc-kit';
import { nodeOptionsOf, scriptOf } from '@callpass/testkit/programs';
import { credentials } from '@grpc/grpc-js';
import type { ClientTls } from '../load/frame-socket.ts';
import { type BenchChild, startNode } from './child-process.ts';
import { ISSUER_SPIFFE_ID, type SecureSetup } from './secure-setup.ts';

/** Realm of the destination. */
const REALM = { name: 'bench.example', cipher: Cipher.AES_128_ECB } as const;
/** Destination that the load asks for. */
export const DESTINATION = 'support';
const REQUEST = { destination: DESTINATION, subject: 'visitor-7c9e6679-7425-40de-944b' } as const;

/** A unary call as the load generator makes it, and how large its answer is. */
export interface ExampleCall {
  readonly path: string;
  /** The encoded request. */
  readonly message: Uint8Array;
  /** Bytes of the answer to it, give or take the few by which encoded times differ. */
  readonly responseBytes: number;
  /** TLS options of the connection. Undefined: plain text. */
  readonly tls?: ClientTls | undefined;
}

/** The whole server, running on a store of its own, set up through its own API. */
export interface CallpassServer {
  readonly child: BenchChild;
  readonly address: string;
  /** Key of its store, in base64. */
  readonly keyEncryptionKey: string;
  /** One `IssueCredentials`. */
  readonly single: ExampleCall;
  /** One `BatchIssueCredentials` of that many. */
  batch(size: number): Promise<ExampleCall>;
  /** One `ValidateToken`, or one `BatchValidateTokens` of that many. */
  validation(size?: number): Promise<ExampleCall>;
  stop(): Promise<void>;
}

/** Options of {@link startCallpassServer}. */
export interface ServerOptions {
  readonly destinations?: number;
  /** Share of the traces that are sampled. */
  readonly sampled?: number;
  /** Default: plain text, and everybody on this machine may do everything. */
  readonly secure?: SecureSetup;
  /** Store other than an SQLite file of its own. */
  readonly storeUrl?: string;
  /** Server with the same store, which is set up already. */
  readonly joins?: CallpassServer;
  /** True: `IssueCredentials` has an empty handler, see `empty-handler.ts`. */
  readonly emptyHandler?: boolean;
  /** Options of Node. Default: those with which its image starts it. */
  readonly nodeOptions?: readonly string[];
  /** Settings and variables besides. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** Starts the server as images have it, with its ledger, and with telemetry that goes to `telemetryUrl` with 1 % of the traces. */
export async function startCallpassServer(
  telemetryUrl: string,
  options: ServerOptions = {},
): Promise<CallpassServer> {
  const { destinations = 1, sampled = 0.01, secure, joins, emptyHandler = false } = options;
  const { nodeOptions = nodeOptionsOf('server') } = options;
  const folder = mkdtempSync(join(tmpdir(), 'callpass-bench-'));
  const keyEncryptionKey = joins?.keyEncryptionKey ?? randomBytes(32).toString('base64');
  const hook = emptyHandler ? ['--import', new URL('./empty-handler.ts', import.meta.url).href] : [];
  const child = startNode([...nodeOptions, ...hook, scriptOf('server'), 'serve'], {
    CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
    CALLPASS_STORE_URL: options.storeUrl ?? `sqlite:${join(folder, 'callpass.db')}`,
    CALLPASS_KEY_ENCRYPTION_KEY: keyEncryptionKey,
    ...(secure?.environment ?? { CALLPASS_ACCESS_LOCAL: 'everything' }),
    // That the store is new is said with a warning.
    CALLPASS_LOG_LEVEL: 'error',
    // A document of 100,000 destinations has more than the 4 MiB that are taken by default.
    CALLPASS_REQUESTS_MAX_MESSAGE_BYTES: String(64 * 1024 * 1024),
    OTEL_EXPORTER_OTLP_ENDPOINT: telemetryUrl,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: String(sampled),
    ...options.environment,
  });
  const stop = async () => {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const address = (await child.ready<{ readonly grpc: string }>()).grpc;
    if (joins === undefined) {
      const operator = open(address, secure?.operator);
      await provision(operator, destinations, secure !== undefined);
      operator.close();
    }
    const connection = open(address, secure?.issuer);
    const single = { ...(await singleCall(connection)), tls: secure?.issuer };
    if (emptyHandler) await assertEmpty(connection);
    return {
      child,
      address,
      keyEncryptionKey,
      single,
      batch: (size) => batchCall(connection, size),
      validation: (size) =>
        size === undefined ? validationCall(connection) : validationsCall(connection, size),
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

/** Throws unless all calls get the same answer: the file that the hook replaces may have moved. */
async function assertEmpty(connection: Connection): Promise<void> {
  const client = createClient(CredentialService, connection);
  const [first, second] = [await client.issueCredentials(REQUEST), await client.issueCredentials(REQUEST)];
  if (first.issuanceId !== second.issuanceId) throw new Error('the handler of the server is not empty');
}

/** Opens a connection to a server, in plain text where no TLS is given. */
export function open(address: string, tls?: ClientTls): Connection {
  const pem = (text: string) => Buffer.from(text);
  return connect({
    address,
    credentials: tls
      ? credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert))
      : credentials.createInsecure(),
    channelOptions: {
      'grpc.max_receive_message_length': -1,
      ...(tls && { 'grpc.ssl_target_name_override': 'localhost' }),
    },
  });
}

/** Limits that are counted on every call and never reached. */
const LIMITS = [LimitScope.SUBJECT, LimitScope.CLIENT, LimitScope.DESTINATION].map((per) => ({
  per,
  max: 1_000_000_000,
  window: { seconds: 60n },
}));

/** The client that the certificate of {@link SecureSetup.issuer} names, granted what is asked for and nothing else. */
const ISSUER = {
  name: 'bench',
  identities: [{ kind: { case: 'spiffeId' as const, value: ISSUER_SPIFFE_ID } }],
  grants: [{ role: Role.ISSUER, destinations: [REQUEST.destination] }],
};

async function provision(connection: Connection, destinations: number, secure: boolean): Promise<void> {
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
          limits: secure ? LIMITS : [],
        })),
        clients: secure ? [ISSUER] : [],
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

async function validationRequest(connection: Connection) {
  const { grant } = await createClient(CredentialService, connection).issueCredentials(REQUEST);
  if (grant.case !== 'timeLimited') throw new Error('the server issues no tokens');
  return { realm: grant.value.realm, token: grant.value.toToken, kind: TokenKind.TO };
}

async function validationCall(connection: Connection): Promise<ExampleCall> {
  const request = await validationRequest(connection);
  const answer = await createClient(CredentialService, connection).validateToken(request);
  if (answer.verdict !== Verdict.VALID)
    throw new Error(`a token of the server is not valid: ${answer.verdict}`);
  return {
    path: methodPath(CredentialService.method.validateToken),
    message: toBinary(ValidateTokenRequestSchema, create(ValidateTokenRequestSchema, request)),
    responseBytes: toBinary(ValidateTokenResponseSchema, answer).length,
  };
}

async function validationsCall(connection: Connection, size: number): Promise<ExampleCall> {
  const one = await validationRequest(connection);
  const request = create(BatchValidateTokensRequestSchema, {
    requests: Array.from({ length: size }, () => one),
  });
  const answer = await createClient(CredentialService, connection).batchValidateTokens(request);
  const valid = answer.results.filter(
    ({ result }) => result.case === 'response' && result.value.verdict === Verdict.VALID,
  ).length;
  if (valid !== size) throw new Error(`of a batch of ${size}, ${valid} tokens are valid`);
  return {
    path: methodPath(CredentialService.method.batchValidateTokens),
    message: toBinary(BatchValidateTokensRequestSchema, request),
    responseBytes: toBinary(BatchValidateTokensResponseSchema, answer).length,
  };
}
