import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { fromBinary, toBinary, create } from '@bufbuild/protobuf';
import { anyIs, anyUnpack } from '@bufbuild/protobuf/wkt';
import { ErrorReason, IssueCredentialsRequestSchema, REASONS, type Reason } from '@callpass/contract';
import { ErrorInfoSchema, HelpSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { HealthCheckRequestSchema } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { METRICS, prometheusName, type RequestFault } from '@callpass/telemetry';
import { startTelemetry, type Telemetry } from '@callpass/telemetry-sdk';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { holdStore } from '../testing/hold-store.ts';
import { startConfiguredServer, type TestServer } from '../testing/test-server.ts';

const ISSUE = '/callpass.v1.CredentialService/IssueCredentials';
const BATCH = '/callpass.v1.CredentialService/BatchIssueCredentials';
const CHECK = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';
const TAIL = '/callpass.v1.LedgerService/TailEntries';
const APPLY = '/callpass.v1.AdminService/ApplyConfiguration';
const REFLECT = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

function framed(message: Uint8Array, { flags = 0, length = message.length } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

const GOOD = toBinary(
  IssueCredentialsRequestSchema,
  create(IssueCredentialsRequestSchema, { destination: 'ecb' }),
);
const ONE = framed(GOOD);
const GARBAGE = Buffer.from([0xff, 0xff, 0xff]);
const NOTHING = framed(Buffer.alloc(0));

interface Sent {
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer;
  /** Request that is not completed. */
  readonly open?: boolean;
}

/** Each way to an error status of a running server, and the reason that it carries. */
const WAYS: readonly (readonly [string, Sent, Reason])[] = [
  ['an unknown method', { path: '/callpass.v1.CredentialService/Nothing' }, 'METHOD_UNKNOWN'],
  ['an unknown service', { path: '/other.Service/IssueCredentials' }, 'METHOD_UNKNOWN'],
  ['a path that names no method', { path: '/' }, 'METHOD_UNKNOWN'],
  ['a path with the method of an object', { path: '/__proto__/constructor' }, 'METHOD_UNKNOWN'],
  ['a path in other capitals', { path: ISSUE.toLowerCase() }, 'METHOD_UNKNOWN'],
  ['GET', { headers: { ':method': 'GET' } }, 'REQUEST_INVALID'],
  ['another content type', { headers: { 'content-type': 'application/json' } }, 'REQUEST_INVALID'],
  ['no content type', { headers: { 'content-type': undefined } }, 'REQUEST_INVALID'],
  ['headers above the bound', { headers: { 'x-long': 'v'.repeat(20_000) } }, 'REQUEST_TOO_LARGE'],
  ['many headers', { headers: many(70) }, 'REQUEST_TOO_LARGE'],
  ['many binary values', { headers: { 'a-bin': ','.repeat(40) } }, 'REQUEST_TOO_LARGE'],
  ['a time limit that is none', { headers: { 'grpc-timeout': 'soon' } }, 'REQUEST_INVALID'],
  ['a time limit of nothing', { headers: { 'grpc-timeout': '0n' }, open: true }, 'DEADLINE_EXCEEDED'],
  ['a time limit that passes', { headers: { 'grpc-timeout': '20m' }, open: true }, 'DEADLINE_EXCEEDED'],
  [
    'a stream whose time limit passes',
    { path: WATCH, body: NOTHING, headers: { 'grpc-timeout': '50m' } },
    'DEADLINE_EXCEEDED',
  ],
  [
    'a tail whose time limit passes',
    { path: TAIL, body: NOTHING, headers: { 'grpc-timeout': '50m' } },
    'DEADLINE_EXCEEDED',
  ],
  [
    'gzip',
    { headers: { 'grpc-encoding': 'gzip' }, body: framed(gzipSync(GOOD), { flags: 1 }) },
    'COMPRESSION_UNSUPPORTED',
  ],
  [
    'broken gzip',
    { headers: { 'grpc-encoding': 'gzip' }, body: framed(GOOD, { flags: 1 }) },
    'COMPRESSION_UNSUPPORTED',
  ],
  ['an unknown encoding', { headers: { 'grpc-encoding': 'br' } }, 'COMPRESSION_UNSUPPORTED'],
  ['a compressed flag without encoding', { body: framed(GOOD, { flags: 1 }) }, 'COMPRESSION_UNSUPPORTED'],
  [
    'a compressed flag with identity',
    { headers: { 'grpc-encoding': 'identity' }, body: framed(GOOD, { flags: 1 }) },
    'COMPRESSION_UNSUPPORTED',
  ],
  ['an unknown flag', { body: framed(GOOD, { flags: 2 }) }, 'REQUEST_INVALID'],
  ['no message', { body: Buffer.alloc(0) }, 'REQUEST_INVALID'],
  ['no message to a stream of answers', { path: TAIL, body: Buffer.alloc(0) }, 'REQUEST_INVALID'],
  ['a second message', { body: Buffer.concat([ONE, ONE]) }, 'REQUEST_INVALID'],
  [
    'a second message to a stream',
    { path: TAIL, body: Buffer.concat([NOTHING, NOTHING]) },
    'REQUEST_INVALID',
  ],
  ['a prefix that is cut off', { body: ONE.subarray(0, 3) }, 'REQUEST_INVALID'],
  ['a message that is cut off', { body: ONE.subarray(0, ONE.length - 1) }, 'REQUEST_INVALID'],
  ['a length that is too short', { body: framed(GOOD, { length: GOOD.length - 2 }) }, 'REQUEST_INVALID'],
  ['a length that is too long', { body: framed(GOOD, { length: GOOD.length + 2 }) }, 'REQUEST_INVALID'],
  ['a message of reflection that is cut off', { path: REFLECT, body: ONE.subarray(0, 7) }, 'REQUEST_INVALID'],
  ['a message above the bound', { body: framed(Buffer.alloc(40_000)) }, 'REQUEST_TOO_LARGE'],
  ['a length above every bound', { body: framed(GOOD, { length: 0xffff_ffff }) }, 'REQUEST_TOO_LARGE'],
  [
    'a configuration above the bound',
    { path: APPLY, body: framed(Buffer.alloc(16), { length: 5 * 1024 * 1024 }) },
    'REQUEST_TOO_LARGE',
  ],
  ['bytes that are no message', { body: framed(GARBAGE) }, 'REQUEST_INVALID'],
  ['a stream of bytes that are no message', { path: REFLECT, body: framed(GARBAGE) }, 'REQUEST_INVALID'],
  ['a field against its rule', { body: framed(issue({ destination: 'A B' })) }, 'REQUEST_INVALID'],
  ['two credentials', { headers: { authorization: 'Bearer \xe9' } }, 'CLIENT_UNKNOWN'],
  ['health of an unknown service', { path: CHECK, body: framed(health('nothing.Here')) }, 'SERVICE_UNKNOWN'],
  ['a refusal', { body: framed(issue({ destination: 'off' })) }, 'DESTINATION_DISABLED'],
];

/** Fault that a way is counted under, of those that are refused for their form. */
const COUNTED: readonly (readonly [RequestFault, string])[] = [
  ['not_grpc', 'GET'],
  ['not_grpc', 'another content type'],
  ['headers_too_large', 'headers above the bound'],
  ['headers_too_large', 'many headers'],
  ['headers_too_large', 'many binary values'],
  ['timeout_invalid', 'a time limit that is none'],
  ['compressed', 'gzip'],
  ['compressed', 'an unknown encoding'],
  ['compressed', 'a compressed flag without encoding'],
  ['method_unknown', 'an unknown method'],
  ['message_too_large', 'a message above the bound'],
  ['body_invalid', 'a second message'],
  ['body_invalid', 'a prefix that is cut off'],
];

/** Requests that are unusual and are served. */
const SERVED: readonly (readonly [string, Sent])[] = [
  ['without te', { headers: { te: undefined } }],
  ['with another content type of gRPC', { headers: { 'content-type': 'application/grpc+proto' } }],
  ['with identity as encoding', { headers: { 'grpc-encoding': 'identity' } }],
  ['with the longest time limit', { headers: { 'grpc-timeout': '99999999H' } }],
  ['without a message to reflection', { path: REFLECT, body: Buffer.alloc(0) }],
  ['with many messages to reflection', { path: REFLECT, body: Buffer.concat([NOTHING, NOTHING, NOTHING]) }],
];

function many(count: number): OutgoingHttpHeaders {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, '']));
}

function issue(init: { destination: string }): Uint8Array {
  return toBinary(IssueCredentialsRequestSchema, create(IssueCredentialsRequestSchema, init));
}

function health(service: string): Uint8Array {
  return toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));
}

describe('a running server', () => {
  let server: TestServer;
  let session: ClientHttp2Session;
  let telemetry: Telemetry;
  beforeAll(async () => {
    telemetry = await startTelemetry({ name: 'test', version: '0' }, { scrape: true });
    server = await startConfiguredServer();
    session = connect(`http://${server.address}`, { maxSendHeaderBlockLength: 1024 * 1024 });
  });
  afterAll(async () => {
    session.destroy();
    await server.stop();
    await telemetry.stop();
  });

  /** Calls that were refused for their form so far, by fault. */
  async function rejected(): Promise<Record<string, number>> {
    const text = (await telemetry.metricsText?.()) ?? '';
    const series = new RegExp(
      `^${prometheusName(METRICS.requestsRejected)}\\{callpass_request_fault="(\\w+)"\\} (\\d+)$`,
      'gm',
    );
    return Object.fromEntries([...text.matchAll(series)].map(([, fault, count]) => [fault, Number(count)]));
  }

  /** Sends a request, each byte of its body on its own if so asked, and gives the status that ends it. */
  async function answerTo({ path = ISSUE, headers = {}, body = ONE, open = false }: Sent, byByte = false) {
    const all: OutgoingHttpHeaders = {
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    };
    for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
    const stream = session.request(all, { endStream: false });
    const received: Record<string, unknown> = {};
    stream.on('response', (head) => Object.assign(received, head));
    stream.on('trailers', (trailers) => Object.assign(received, trailers));
    stream.on('error', () => undefined).resume();
    // A request that stays open keeps its stream, also when it has its answer.
    const answered = new Promise((resolve) => stream.once('end', resolve).once('close', resolve));
    if (byByte) for (const byte of body) stream.write(Buffer.from([byte]));
    else if (!open) stream.write(body);
    if (!open) stream.end();
    await answered;
    stream.close();
    const bytes = received['grpc-status-details-bin'];
    const details = bytes === undefined ? [] : fromBinary(StatusSchema, decoded(bytes)).details;
    const info = details.find((any) => anyIs(any, ErrorInfoSchema));
    const help = details.find((any) => anyIs(any, HelpSchema));
    return {
      http: received[':status'],
      code: Number(received['grpc-status']),
      message: decodeURIComponent(String(received['grpc-message'])),
      info: info && anyUnpack(info, ErrorInfoSchema),
      help: help && anyUnpack(help, HelpSchema)?.links[0]?.url,
    };
  }

  it.each(WAYS)('answers %s with a reason', async (_way, sent, reason) => {
    const { code, info, help, message } = await answerTo(sent);
    expect(info).toMatchObject({ domain: 'callpass', reason });
    expect(code).toBe(REASONS[reason].status);
    expect(help).toBe(`urn:callpass:problem:${reason}`);
    expect(message).not.toMatch(/undefined|protovalidate|CEL|regex|grpc-js|\[object/);
  });

  it.each(COUNTED)('counts as %s: %s', async (fault, name) => {
    const [, sent] = WAYS.find(([way]) => way === name) ?? [];
    const before = await rejected();
    await answerTo(sent ?? {});
    expect(await rejected()).toEqual({ ...before, [fault]: (before[fault] ?? 0) + 1 });
  });

  it.each([
    ['an issue', { body: ONE }],
    ['a batch', { path: BATCH, body: framed(Buffer.concat([Buffer.from([0x0a, GOOD.length]), GOOD])) }],
  ])('answers with a reason when the time limit passes while %s is at work', async (_what, sent) => {
    const release = await holdStore(server);
    const { code, info } = await answerTo({ ...sent, headers: { 'grpc-timeout': '200m' } });
    await release();
    expect([code, info?.reason]).toEqual([REASONS.DEADLINE_EXCEEDED.status, 'DEADLINE_EXCEEDED']);
    expect(await answerTo(sent)).toMatchObject({ code: 0 });
  });

  it('answers alike when the bytes of a body come one at a time', async () => {
    for (const [way, sent, reason] of WAYS) {
      if ((sent.body?.length ?? 0) > 1000 || sent.open) continue;
      const { info } = await answerTo(sent, true);
      expect([way, info?.reason]).toEqual([way, reason]);
    }
  });

  it('answers what is no gRPC with an HTTP status that is no success', async () => {
    expect(await answerTo({ headers: { ':method': 'GET' } })).toMatchObject({ http: 415 });
    expect(await answerTo({ headers: { 'content-type': 'text/html' } })).toMatchObject({ http: 415 });
  });

  it.each(SERVED)('serves a request %s', async (_what, sent) => {
    expect(await answerTo(sent)).toMatchObject({ http: 200, code: 0 });
  });
});

it('each reason that is sent is of the contract', () => {
  for (const [, , reason] of WAYS) expect(ErrorReason[reason]).toBeGreaterThan(0);
});

function decoded(header: unknown): Buffer {
  return Buffer.from(String(header), 'base64');
}
