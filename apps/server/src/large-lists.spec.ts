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

/** Empty items of a list, two bytes each. */
const empty = (number: number, bytes: number) => Buffer.alloc(bytes, Buffer.from([(number << 3) | 2, 0]));

describe('a list above its bound is refused before it is decoded:', () => {
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
      field(1, empty(2, 4000 * KIB)),
      'configuration.destinations: must contain no more than 200000 items',
    ],
    [
      'callees of a destination',
      APPLY,
      field(1, Buffer.concat([empty(2, 2), field(2, empty(5, 400 * KIB))])),
      'configuration.destinations[1].callees: must contain no more than 1000 items',
    ],
  ])('%s', async (_what, path, message, text) => {
    const error = await refusal(path, message);
    expect(error?.details).toBe(`invalid request: ${text}`);
    // Decoded, these are half a million objects and more, and each of them breaks rules of its own.
    const [bytes] = error?.metadata.get('grpc-status-details-bin') ?? [];
    const { details } = fromBinary(StatusSchema, bytes as Buffer);
    expect(details.flatMap((any) => anyUnpack(any, BadRequestSchema)?.fieldViolations ?? [])).toHaveLength(1);
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
