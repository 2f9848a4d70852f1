import { once } from 'node:events';
import { connect, type IncomingHttpHeaders, type SecureClientSessionOptions } from 'node:http2';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { CredentialService, IssueCredentialsRequestSchema } from '@callpass/contract';
import type { CertifiedKey } from '@callpass/dev-certificates';
import { methodPath } from '@callpass/grpc-kit';
import { ErrorInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { DOCUMENT, KEYS } from '../testing/test-server.ts';
import { startTlsServer, staticToken, type TlsServer } from '../testing/tls-server.ts';

const CANARY = 'canary-credential';
const own = staticToken();
const other = staticToken();
const CLIENTS = `
clients:
  - { name: own, identities: [{ commonName: own }, { tokenSha256: "${own.sha256}" }], grants: [{ role: ISSUER, destinations: [ecb] }] }
  - { name: other, identities: [{ tokenSha256: "${other.sha256}" }], grants: [{ role: ISSUER, destinations: [ecb] }] }
`;

let server: TlsServer;
let certificate: CertifiedKey;
const printed: string[] = [];
beforeAll(async () => {
  const log = pino({ level: 'trace' }, { write: (line: string) => printed.push(line) });
  server = await startTlsServer({ log });
  await server.configure(DOCUMENT + CLIENTS);
  await server.activateKey('ecb.example', KEYS['ecb.example']);
  certificate = await server.authority.issue({ commonName: 'own', use: 'client' });
});
afterAll(() => server.stop());
beforeEach(() => {
  printed.length = 0;
  jest.spyOn(console, 'error').mockImplementation((...texts) => void printed.push(texts.join(' ')));
});

/** Issues with exactly these bytes as `authorization`, which no gRPC library would send, and returns the outcome. */
async function issue(
  authorization: readonly string[] | undefined,
  key: CertifiedKey | undefined = certificate,
) {
  // The types of Node do not have it yet: it lets `authorization` be sent twice.
  const options: SecureClientSessionOptions & { strictSingleValueFields: boolean } = {
    ca: server.authority.cert,
    servername: 'localhost',
    strictSingleValueFields: false,
    ...(key && { key: key.key, cert: key.cert }),
  };
  const session = connect(`https://${server.address}`, options);
  try {
    const headers: Record<string, string> = {
      ':method': 'POST',
      ':path': methodPath(CredentialService.method.issueCredentials),
      'content-type': 'application/grpc',
      te: 'trailers',
    };
    const raw = Object.entries(headers).flatMap(([name, value]) => [name, value]);
    for (const value of authorization ?? []) raw.push('authorization', value);
    const stream = session.request(raw);
    const message = toBinary(
      IssueCredentialsRequestSchema,
      create(IssueCredentialsRequestSchema, { destination: 'ecb' }),
    );
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([frame, message]));
    let ended: IncomingHttpHeaders = {};
    stream.on('response', (found) => (ended = { ...ended, ...found }));
    stream.on('trailers', (found) => (ended = { ...ended, ...found }));
    stream.resume();
    await once(stream, 'close');
    const details = Buffer.from([ended['grpc-status-details-bin'] ?? ''].join(''), 'base64');
    const [info] = fromBinary(StatusSchema, details).details.flatMap(
      (any) => anyUnpack(any, ErrorInfoSchema) ?? [],
    );
    return info === undefined
      ? `status ${[ended['grpc-status']].join('')}`
      : `${info.reason} ${info.metadata['fault']}`;
  } finally {
    session.destroy();
  }
}

const MALFORMED = 'CLIENT_UNKNOWN TOKEN_MALFORMED';

describe('beside a good certificate', () => {
  it('no credential, or one of the same client, is served', async () => {
    expect(await issue(undefined)).toBe('status 0');
    expect(await issue([`Bearer ${own.token}`])).toBe('status 0');
  });

  it.each<[string, readonly string[], string]>([
    ['a byte that metadata cannot hold', [`Bearer ${CANARY}\xe9`], MALFORMED],
    ['another byte of that kind', [`Bearer ${CANARY}\x80`], MALFORMED],
    ['a tab', [`Bearer ${CANARY}\tx`], MALFORMED],
    ["another client's token with such a byte", [`Bearer ${other.token}\xe9`], MALFORMED],
    ['its own token with such a byte', [`Bearer ${own.token}\xe9`], MALFORMED],
    ['a space at the end', [`Bearer ${CANARY} `], MALFORMED],
    ['a space at the end of its own token', [`Bearer ${own.token} `], MALFORMED],
    ['two credentials', [`Bearer ${CANARY}`, `Bearer ${own.token}`], MALFORMED],
    ['its own token twice', [`Bearer ${own.token}`, `Bearer ${own.token}`], MALFORMED],
    ['an empty one', [''], MALFORMED],
    ['an empty one beside its own token', ['', `Bearer ${own.token}`], MALFORMED],
    ['another scheme', [`Basic ${CANARY}`], MALFORMED],
    ['the scheme alone', ['Bearer'], MALFORMED],
    ["another client's token", [`Bearer ${other.token}`], 'CLIENT_UNKNOWN DIFFERENT_CLIENTS'],
  ])('%s is CLIENT_UNKNOWN, and nobody prints it', async (_what, values, refused) => {
    expect(await issue(values)).toBe(refused);
    const text = printed.join('');
    for (const secret of [CANARY, own.token, other.token]) expect(text).not.toContain(secret);
  });
});
