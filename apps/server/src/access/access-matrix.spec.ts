import type { DescMethod } from '@bufbuild/protobuf';
import { LedgerEntry_Kind } from '@callpass/contract';
import { createAuthority, selfSigned, type CertifiedKey } from '@callpass/dev-certificates';
import type { Connection } from '@callpass/grpc-kit';
import { createClient } from '@callpass/grpc-kit';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { ErrorInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { ServerReflection } from '@callpass/rpc-protos/gen/grpc/reflection/v1/reflection_pb.js';
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { status, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair } from 'jose';
import { pino } from 'pino';
import { ALL_SERVICES } from '../methods.ts';
import { authorization, connectPresenting, type Presented } from '../testing/presented.ts';
import { DOCUMENT } from '../testing/test-server.ts';
import { staticToken, startTlsServer, type TlsServer } from '../testing/tls-server.ts';

// Line by line what the contract says, once more and by hand: a new RPC has no line here and fails.
const MAY_CALL = {
  'callpass.v1.CredentialService/IssueCredentials': 'ISSUER',
  'callpass.v1.CredentialService/BatchIssueCredentials': 'ISSUER',
  'callpass.v1.CredentialService/CheckIssuing': 'ISSUER',
  'callpass.v1.CredentialService/ValidateToken': 'VALIDATOR',
  'callpass.v1.CredentialService/ValidateCredentials': 'VALIDATOR',
  'callpass.v1.CredentialService/BatchValidateTokens': 'VALIDATOR',
  'callpass.v1.CredentialService/BatchValidateCredentials': 'VALIDATOR',
  'callpass.v1.AdminService/GetConfiguration': 'OPERATOR',
  'callpass.v1.AdminService/ApplyConfiguration': 'OPERATOR',
  'callpass.v1.AdminService/ListConfigurationRevisions': 'OPERATOR',
  'callpass.v1.AdminService/AddRealmKey': 'OPERATOR',
  'callpass.v1.AdminService/ListRealmKeys': 'OPERATOR',
  'callpass.v1.AdminService/ActivateRealmKey': 'OPERATOR',
  'callpass.v1.AdminService/RetireRealmKey': 'OPERATOR',
  'callpass.v1.AdminService/DestroyRealmKey': 'OPERATOR',
  'callpass.v1.AdminService/Freeze': 'OPERATOR',
  'callpass.v1.AdminService/Unfreeze': 'OPERATOR',
  'callpass.v1.AdminService/ListFreezes': 'OPERATOR',
  'callpass.v1.AdminService/TryIssue': 'OPERATOR',
  'callpass.v1.AdminService/ReplayConfiguration': 'OPERATOR',
  'callpass.v1.AdminService/ExplainToken': 'OPERATOR',
  'callpass.v1.LedgerService/ListEntries': 'AUDITOR',
  'callpass.v1.LedgerService/TailEntries': 'AUDITOR',
  'callpass.v1.LedgerService/VerifyLedger': 'AUDITOR',
  'callpass.v1.LedgerService/SummarizeEntries': 'AUDITOR',
  'callpass.v1.LedgerService/GetAnchor': 'AUDITOR',
  'callpass.v1.LedgerService/RemoveEntries': 'OPERATOR',
  'envoy.service.auth.v3.Authorization/Check': 'VALIDATOR',
  'grpc.health.v1.Health/Check': 'ANYBODY',
  'grpc.health.v1.Health/Watch': 'ANYBODY',
  'grpc.health.v1.Health/List': 'ANYBODY',
  'grpc.reflection.v1.ServerReflection/ServerReflectionInfo': 'ANY_CLIENT',
  'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': 'ANY_CLIENT',
} as const;

/** Their refusals have no entry: probes go on for ever. */
const UNRECORDED: readonly string[] = ['callpass.v1.CredentialService/CheckIssuing'];

const METHODS_BY_NAME = new Map<string, DescMethod>(
  Object.values(ALL_SERVICES).flatMap((service) =>
    service.methods.map((method) => [`${service.typeName}/${method.name}`, method]),
  ),
);

const CANARY = 'canary-of-the-matrix';
const opaque = staticToken();
let server: TlsServer;
let noise: CertifiedKey;
let presented: Record<string, Presented>;
const logged: string[] = [];

beforeAll(async () => {
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });
  server = await startTlsServer({ log, environment: { CALLPASS_AUTHORIZE_ENABLED: 'true' } });
  const { authority, jwt } = server;
  await server.configure(`${DOCUMENT}
clients:
  - { name: issuer, identities: [{ spiffeId: "spiffe://test/issuer" }], grants: [{ role: ISSUER, destinations: ["*"] }] }
  - { name: validator, identities: [{ tokenSha256: "${opaque.sha256.toUpperCase()}" }], grants: [{ role: VALIDATOR, realms: ["*"] }] }
  - { name: operator, identities: [{ jwt: { issuer: "https://login.example", subject: operator } }], grants: [{ role: OPERATOR }] }
  - { name: auditor, identities: [{ dnsName: Audit.Example }, { commonName: audit }], grants: [{ role: AUDITOR }] }
  - { name: idle, identities: [{ commonName: idle }], grants: [] }
  - { name: noise, identities: [{ commonName: noise }], grants: [] }
`);
  const stranger = await createAuthority();
  const day = 86_400_000;
  const yesterday = { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) };
  const tomorrow = { notBefore: new Date(Date.now() + day), notAfter: new Date(Date.now() + 2 * day) };
  const issuerId = { uris: ['spiffe://test/issuer'], use: 'client' } as const;
  const otherKeys = await generateKeyPair('ES256');
  const parts = (await jwt({ sub: 'operator' })).split('.');
  const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
  const bearer = async (token: Promise<string> | string) => ({ authorization: `Bearer ${await token}` });
  noise = await authority.issue({ commonName: 'noise', use: 'client' });
  presented = {
    nothing: {},
    'certificate of nobody': { certificate: await authority.issue({ commonName: 'nobody', use: 'client' }) },
    'certificate of another authority': { certificate: await stranger.issue(issuerId) },
    'self-signed certificate': { certificate: await selfSigned(issuerId) },
    'expired certificate': { certificate: await authority.issue({ ...issuerId, ...yesterday }) },
    'certificate of tomorrow': { certificate: await authority.issue({ ...issuerId, ...tomorrow }) },
    'certificate with two URIs': {
      certificate: await authority.issue({
        uris: ['spiffe://test/issuer', 'spiffe://test/x'],
        use: 'client',
      }),
    },
    'certificate of two clients': {
      certificate: await authority.issue({ commonName: 'audit', uris: issuerId.uris, use: 'client' }),
    },
    'JWT without signature': await bearer(`${none}.${parts[1]}.`),
    'JWT for another audience': await bearer(jwt({ sub: 'operator', aud: 'elsewhere' })),
    'JWT of another issuer': await bearer(jwt({ sub: 'operator', iss: 'https://evil.example' })),
    'expired JWT': await bearer(jwt({ sub: 'operator', exp: 1_700_000_000 })),
    'JWT that never expires': await bearer(jwt({ sub: 'operator', exp: undefined })),
    'JWT of an unknown key': await bearer(jwt({ sub: 'operator' }, otherKeys.privateKey)),
    'JWT of nobody': await bearer(jwt({ sub: 'nobody' })),
    'unknown token': await bearer(`${CANARY}-static`),
    'token of 9 KiB': await bearer(CANARY.padEnd(9 * 1024, 'x')),
    'token of 15 KiB': await bearer(CANARY.padEnd(15 * 1024, 'x')),
    'no bearer token': { authorization: `Basic ${CANARY}` },
    'good certificate, bad token': {
      certificate: await authority.issue(issuerId),
      ...(await bearer(`${CANARY}-static`)),
    },
    'certificate and token of different clients': {
      certificate: await authority.issue(issuerId),
      ...(await bearer(opaque.token)),
    },
    'issuer alone': { certificate: await authority.issue(issuerId) },
    'validator alone': await bearer(opaque.token),
    'operator alone': await bearer(jwt({ sub: 'operator' })),
    'auditor alone': {
      certificate: await authority.issue({ commonName: 'audit', names: ['audit.example'], use: 'client' }),
    },
    'client without grants': { certificate: await authority.issue({ commonName: 'idle', use: 'client' }) },
    'operator of the settings': { certificate: server.operator },
  };
});

afterAll(async () => {
  await server.stop();
});

/** Callers: the fault by which nobody is recognised, or the client and its roles. */
const WHO: Record<string, string | { client: string; roles: readonly string[] }> = {
  nothing: 'NOTHING_PRESENTED',
  'certificate of nobody': 'UNKNOWN',
  'certificate of another authority': 'CERTIFICATE_UNTRUSTED',
  'self-signed certificate': 'CERTIFICATE_UNTRUSTED',
  'expired certificate': 'CERTIFICATE_NOT_VALID_NOW',
  'certificate of tomorrow': 'CERTIFICATE_NOT_VALID_NOW',
  'certificate with two URIs': 'UNKNOWN',
  'certificate of two clients': 'CERTIFICATE_AMBIGUOUS',
  'JWT without signature': 'TOKEN_NOT_ACCEPTED',
  'JWT for another audience': 'TOKEN_NOT_ACCEPTED',
  'JWT of another issuer': 'TOKEN_NOT_ACCEPTED',
  'expired JWT': 'TOKEN_EXPIRED',
  'JWT that never expires': 'TOKEN_NOT_ACCEPTED',
  'JWT of an unknown key': 'TOKEN_NOT_ACCEPTED',
  'JWT of nobody': 'UNKNOWN',
  'unknown token': 'UNKNOWN',
  'token of 9 KiB': 'TOKEN_TOO_LONG',
  'token of 15 KiB': 'TOKEN_TOO_LONG',
  'no bearer token': 'TOKEN_MALFORMED',
  'good certificate, bad token': 'UNKNOWN',
  'certificate and token of different clients': 'DIFFERENT_CLIENTS',
  'issuer alone': { client: 'issuer', roles: ['ISSUER'] },
  'validator alone': { client: 'validator', roles: ['VALIDATOR'] },
  'operator alone': { client: 'operator', roles: ['OPERATOR'] },
  'auditor alone': { client: 'auditor', roles: ['AUDITOR'] },
  'client without grants': { client: 'idle', roles: [] },
  'operator of the settings': { client: 'alice', roles: ['OPERATOR', 'AUDITOR'] },
};

function expected(who: (typeof WHO)[string], role: string): string {
  if (role === 'ANYBODY') return 'let in';
  if (typeof who === 'string') return `UNAUTHENTICATED CLIENT_UNKNOWN ${who}`;
  return role === 'ANY_CLIENT' || who.roles.includes(role)
    ? 'let in'
    : 'PERMISSION_DENIED CLIENT_NOT_GRANTED';
}

/** Calls with an empty message and says whether the call came past identity and role. */
function call(connection: Connection, name: string, value: string | undefined): Promise<string> {
  const same = (bytes: Buffer) => bytes;
  const { methodKind } = METHODS_BY_NAME.get(name) as DescMethod;
  const path = `/${name}`;
  const metadata = authorization(value);
  return new Promise((resolve) => {
    const settle = (error: ServiceError | null) => resolve(outcomeOf(error));
    const { grpcClient } = connection;
    if (methodKind === 'unary') {
      grpcClient.makeUnaryRequest(path, same, same, Buffer.alloc(0), metadata, settle);
      return;
    }
    const stream =
      methodKind === 'server_streaming'
        ? grpcClient.makeServerStreamRequest(path, same, same, Buffer.alloc(0), metadata)
        : grpcClient.makeBidiStreamRequest(path, same, same, metadata);
    stream.on('data', () => {
      resolve('let in');
      stream.cancel();
    });
    stream.on('error', settle);
    stream.on('end', () => resolve('let in'));
    if (methodKind !== 'server_streaming') (stream as ClientDuplexStream<Buffer, Buffer>).end();
    // A tail says nothing until there is something new.
    if (name.endsWith('/TailEntries')) void makeEntries(() => stream.destroyed);
  });
}

/** RPCs of which each refusal has an entry, until there are too many of one of them. */
const NOISY = [...METHODS_BY_NAME.keys()].filter((name) => name.startsWith('callpass.v1.AdminService/'));
let noises = 0;

async function makeEntries(enough: () => boolean): Promise<void> {
  const connection = connectPresenting(server.address, server.authority, noise);
  while (!enough()) {
    await call(connection, NOISY[noises++ % NOISY.length] as string, undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  connection.close();
}

function outcomeOf(error: ServiceError | null): string {
  if (!error || (error.code !== status.UNAUTHENTICATED && error.code !== status.PERMISSION_DENIED)) {
    // An empty message breaks the rules of most requests, which is found behind identity and role.
    const passed = [
      undefined,
      status.INVALID_ARGUMENT,
      status.ABORTED,
      status.NOT_FOUND,
      status.UNIMPLEMENTED,
    ];
    return passed.includes(error?.code) ? 'let in' : `${status[error?.code ?? 0]} ${error?.details}`;
  }
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const [info] = fromBinary(StatusSchema, bytes as Buffer).details.flatMap(
    (any) => anyUnpack(any, ErrorInfoSchema) ?? [],
  );
  const fault = info?.metadata['fault'];
  return [status[error.code], info?.reason, ...(fault === undefined ? [] : [fault])].join(' ');
}

describe('every RPC', () => {
  it('has an expectation here, a new one too: what reflection lists is what is expected', async () => {
    const answers = createClient(ServerReflection, server.connection).serverReflectionInfo(
      (async function* () {
        yield { messageRequest: { case: 'listServices' as const, value: '' } };
      })(),
    );
    for await (const { messageResponse } of answers) {
      if (messageResponse.case !== 'listServicesResponse') throw new TypeError(messageResponse.case);
      const services = messageResponse.value.service.map(({ name }) => name).sort();
      expect([...new Set(Object.keys(MAY_CALL).map((name) => name.split('/')[0]))].sort()).toEqual(services);
    }
    expect(Object.keys(MAY_CALL).sort()).toEqual([...METHODS_BY_NAME.keys()].sort());
  });

  it.each(Object.keys(WHO))('answers as the table says: %s', async (name) => {
    const { certificate, authorization: value } = presented[name] as Presented;
    const connection = connectPresenting(server.address, server.authority, certificate);
    const who = WHO[name] as (typeof WHO)[string];
    const outcomes: Record<string, string> = {};
    const wanted: Record<string, string> = {};
    const before = await refusedEntries();
    for (const [rpc, role] of Object.entries(MAY_CALL)) {
      wanted[rpc] = expected(who, role);
      outcomes[rpc] = await call(connection, rpc, value);
    }
    connection.close();
    expect(outcomes).toEqual(wanted);
    const refused = Object.entries(wanted).filter(
      ([rpc, outcome]) => outcome.startsWith('PERMISSION_DENIED') && !UNRECORDED.includes(rpc),
    );
    const entries = (await refusedEntries()).slice(before.length);
    if (typeof who === 'string') {
      expect(await refusedEntries()).toContainEqual(['', 'CLIENT_UNKNOWN', `authentication ${who}`]);
    } else {
      expect(entries.filter(([client]) => client === who.client).sort()).toEqual(
        refused
          .map(([rpc]) => [
            who.client,
            'CLIENT_NOT_GRANTED',
            `role ${MAY_CALL[rpc as keyof typeof MAY_CALL]}`,
          ])
          .sort(),
      );
    }
  });

  it.each([256, 1024])('does not let in a token of %i KiB, and serves on', async (kibibytes) => {
    const connection = connectPresenting(server.address, server.authority);
    const issue = 'callpass.v1.CredentialService/IssueCredentials';
    const startedMs = performance.now();
    const outcome = await call(connection, issue, `Bearer ${CANARY.padEnd(kibibytes * 1024, 'x')}`);
    expect(outcome).not.toBe('let in');
    expect(performance.now() - startedMs).toBeLessThan(5000);
    connection.close();
    const other = connectPresenting(server.address, server.authority, presented['issuer alone']?.certificate);
    expect(await call(other, issue, undefined)).toBe('let in');
    other.close();
  });

  it('leaves no token in the log, whatever it was', () => {
    const everything = logged.join('');
    expect(everything).toContain('authentication refused');
    // Of hundreds that were refused, a line for each fault in a minute.
    expect(everything.split('CLIENT_UNKNOWN').length).toBeLessThan(5);
    expect(everything).not.toContain(CANARY);
    expect(everything).not.toContain(opaque.token);
    for (const { authorization: value } of Object.values(presented)) {
      const signature = value?.split('.')[2];
      if (signature) expect(everything).not.toContain(signature);
    }
  });
});

async function refusedEntries(): Promise<string[][]> {
  const found: string[][] = [];
  let pageToken = '';
  do {
    const page = await server.ledger.listEntries({
      kind: LedgerEntry_Kind.REFUSED,
      pageSize: 1000,
      pageToken,
    });
    found.push(...page.entries.map(({ client, reason, rule }) => [client, reason, rule]));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}
