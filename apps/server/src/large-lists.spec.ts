import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { ApplyConfigurationRequestSchema, BatchIssueCredentialsRequestSchema } from '@callpass/contract';
import { BadRequestSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startConfiguredServer, type TestServer } from './testing/test-server.ts';

const BATCH = '/callpass.v1.CredentialService/BatchIssueCredentials';
const APPLY = '/callpass.v1.AdminService/ApplyConfiguration';
const KIB = 1024;

/** A field of a message, with its length in front. */
function field(number: number, content: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  // A varint of four bytes, so that any length here fits.
  for (let at = 0; at < 4; at++) length[at] = ((content.length >> (7 * at)) & 0x7f) | (at < 3 ? 0x80 : 0);
  return Buffer.concat([Buffer.from([(number << 3) | 2]), length, content]);
}

const destinations = (items: readonly Buffer[]) => Buffer.concat(items.map((item) => field(2, item)));
/** A destination that keeps its rules: id, mode, account and callee. */
const GOOD = Buffer.from('\x0a\x03abc\x18\x02\x22\x05a@b.c\x2a\x05a@b.c', 'latin1');
const MANY = destinations(Array<Buffer>(10_000).fill(GOOD));
/** Fields that no message has, two bytes each. */
const unknown = (bytes: number) => Buffer.alloc(bytes, Buffer.from([0x7a, 0]));
const TOO_MANY = 'must contain no more than 100000 fields that are unknown or sent again';

/** Empty items of a list, two bytes each. */
const empty = (number: number, bytes: number) => Buffer.alloc(bytes, Buffer.from([(number << 3) | 2, 0]));

const fieldsOf = (error: ServiceError | null) => {
  const [bytes] = error?.metadata.get('grpc-status-details-bin') ?? [];
  const { details } = fromBinary(StatusSchema, bytes as Buffer);
  const violations = details.flatMap((any) => anyUnpack(any, BadRequestSchema)?.fieldViolations ?? []);
  return violations.map((violation) => violation.field);
};

describe('a message that would take far more memory or time than its size is refused early:', () => {
  let server: TestServer;
  let client: Client;
  beforeAll(async () => {
    server = await startConfiguredServer();
    client = new Client(server.address, credentials.createInsecure());
  });
  afterAll(async () => {
    client.close();
    await server.stop();
  });

  const refusal = (path: string, message: Buffer) =>
    new Promise<ServiceError | null>((resolve) => {
      const same = (bytes: Buffer) => bytes;
      client.makeUnaryRequest(path, same, same, message, new Metadata(), (error) => {
        resolve(error);
      });
    });

  it.each<[string, string, Buffer, string]>([
    ['items of a batch', BATCH, empty(1, 1000 * KIB), 'requests: must contain no more than 256 items'],
    [
      'destinations',
      APPLY,
      field(1, Buffer.alloc(14 * 200_001, Buffer.from('\x12\x0c\x0a\x03abc\x2a\x05a@b.c', 'latin1'))),
      'configuration.destinations: must contain no more than 200000 items',
    ],
    [
      'callees of a destination',
      APPLY,
      field(1, Buffer.concat([empty(2, 2), field(2, empty(5, 400 * KIB))])),
      'configuration.destinations[1].callees: must contain no more than 1000 items',
    ],
    ['unknown fields', APPLY, unknown(4000 * KIB), TOO_MANY],
    ['unknown fields of a batch', BATCH, unknown(1000 * KIB), TOO_MANY],
    ['unknown fields of a configuration', APPLY, field(1, unknown(4000 * KIB)), `configuration: ${TOO_MANY}`],
    [
      'unknown fields of the items of a batch',
      BATCH,
      Buffer.concat(Array<Buffer>(100).fill(field(1, unknown(10 * KIB)))),
      `requests[19]: ${TOO_MANY}`,
    ],
    [
      'unknown fields of a message within a destination',
      APPLY,
      field(1, field(2, field(9, unknown(400 * KIB)))),
      `configuration.destinations[0].hours: ${TOO_MANY}`,
    ],
    [
      'fields of an unknown group',
      APPLY,
      Buffer.concat([Buffer.from([0x7b]), unknown(400 * KIB), Buffer.from([0x7c])]),
      TOO_MANY,
    ],
    ['a field that is sent again', APPLY, Buffer.alloc(4000 * KIB, Buffer.from([0x10, 1])), TOO_MANY],
    [
      'a text that is sent again',
      BATCH,
      field(1, Buffer.alloc(400 * KIB, Buffer.from([0x0a, 0]))),
      `requests[0]: ${TOO_MANY}`,
    ],
  ])('%s', async (_what, path, message, text) => {
    const error = await refusal(path, message);
    expect(error?.details).toBe(`invalid request: ${text}`);
    // Decoded, these are half a million objects and more, and each of them breaks rules of its own.
    expect(fieldsOf(error)).toHaveLength(1);
  });

  it.each([
    ['empty destinations', Array<Buffer>(200_000).fill(Buffer.alloc(0))],
    ['destinations with empty texts only', Array<Buffer>(200_000).fill(Buffer.from('0a002a00', 'hex'))],
    [
      'destinations without an id',
      Array<Buffer>(190_000).fill(Buffer.from('2200' + '2a00'.repeat(5) + '4a005200', 'hex')),
    ],
  ])('%s, no more than there may be', async (_what, items) => {
    const error = await refusal(APPLY, field(1, destinations(items)));
    expect(error?.details).toBe('invalid request: configuration.destinations[0].id: must not be empty');
    expect(fieldsOf(error)).toHaveLength(16);
  });

  it.each([
    ['an empty limit', destinations([Buffer.concat([GOOD, Buffer.from('5200', 'hex')])]), 'limits[0].per'],
    [
      'a callee that is none',
      destinations([Buffer.concat([GOOD, Buffer.from('2a0120', 'hex')])]),
      'callees[1]',
    ],
  ])('%s of the last of 10,000 destinations', async (_what, last, path) => {
    const message = field(1, Buffer.concat([MANY, last]));
    expect(fieldsOf(await refusal(APPLY, message))).toContain(`configuration.destinations[10000].${path}`);
  });

  it('a flaw beside 10,000 destinations', async () => {
    const realm = field(1, Buffer.from('0a0120', 'hex'));
    const fields = fieldsOf(await refusal(APPLY, field(1, Buffer.concat([MANY, realm]))));
    expect(fields).toContain('configuration.realms[0].name');
    expect(fields.join()).not.toContain('destinations');
  });

  it('and one within its bounds is not, however large its items are', async () => {
    const requests = Array.from({ length: 256 }, () => ({ destination: 'ecb', subject: 's'.repeat(256) }));
    const schema = BatchIssueCredentialsRequestSchema;
    expect(await refusal(BATCH, Buffer.from(toBinary(schema, create(schema, { requests }))))).toBeNull();
    const callees = Array.from({ length: 1000 }, (_, n) => `user-${n}-${'x'.repeat(40)}@x.example`);
    const request = create(ApplyConfigurationRequestSchema, {
      configuration: { destinations: [{ id: 'many', mode: 2, account: 'a@x.example', callees }] },
      dryRun: true,
      expectedRevision: 1,
    });
    const bytes = Buffer.from(toBinary(ApplyConfigurationRequestSchema, request));
    expect(bytes.length).toBeGreaterThan(32 * KIB);
    expect((await refusal(APPLY, bytes))?.details ?? '').not.toContain('items');
  });
});
