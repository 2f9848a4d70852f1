import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  BatchIssueCredentialsResponseSchema,
  IssueCredentialsResponseSchema,
  TimeLimitedCredentialsSchema,
  UnrestrictedCredentialsSchema,
  type IssueCredentialsResponse,
} from '@callpass/contract';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { encodeBatch, encodeIssued } from './encode-issued.ts';
import type { Issued } from './issue.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 300 });
/** From 1970-01-01 00:00:01 until the seconds leave 32 bits. */
const time = fc.integer({ min: 1000, max: (2 ** 32 - 1) * 1000 });

const issued: fc.Arbitrary<Issued> = fc.record({
  issuanceId: text,
  callee: text,
  caller: text,
  issueTimeMs: time,
  timeLimited: fc.option(
    fc.record({
      tokens: fc.record({ accountToken: text, fromToken: text, toToken: text }),
      realm: text,
      keyVersion: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      expireTimeMs: time,
      refreshTimeMs: time,
    }),
    { nil: undefined },
  ),
});

/** The same by way of the message: what the hand-written encoding is held against. */
function issuedToMessage(issued: Issued): IssueCredentialsResponse {
  const { timeLimited } = issued;
  return create(IssueCredentialsResponseSchema, {
    issuanceId: issued.issuanceId,
    callee: issued.callee,
    caller: issued.caller,
    issueTime: timestampFromMs(issued.issueTimeMs),
    ...(timeLimited
      ? {
          grant: {
            case: 'timeLimited',
            value: create(TimeLimitedCredentialsSchema, { ...timeLimited.tokens, realm: timeLimited.realm }),
          },
          expireTime: timestampFromMs(timeLimited.expireTimeMs),
          refreshTime: timestampFromMs(timeLimited.refreshTimeMs),
          keyVersion: timeLimited.keyVersion,
        }
      : { grant: { case: 'unrestricted', value: create(UnrestrictedCredentialsSchema) } }),
  });
}

describe('encodeIssued', () => {
  it('writes byte for byte what toBinary writes', () => {
    fc.assert(
      fc.property(issued, (value) => {
        expect(
          Buffer.from(encodeIssued(value)).equals(
            toBinary(IssueCredentialsResponseSchema, issuedToMessage(value)),
          ),
        ).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('encodeBatch', () => {
  it('writes byte for byte what toBinary writes, refusals included', () => {
    const status = create(StatusSchema, { code: 9, message: 'refused' });
    fc.assert(
      fc.property(fc.array(fc.option(issued, { nil: undefined }), { maxLength: 5 }), (items) => {
        const message = create(BatchIssueCredentialsResponseSchema, {
          results: items.map((item) => ({
            result: item
              ? { case: 'response' as const, value: issuedToMessage(item) }
              : { case: 'status' as const, value: status },
          })),
        });
        const encoded = encodeBatch(
          items.map((item) => (item ? { response: encodeIssued(item) } : { status })),
        );
        expect(Buffer.from(encoded).equals(toBinary(BatchIssueCredentialsResponseSchema, message))).toBe(
          true,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('leaves nothing of a batch that could not be encoded for the next answer', () => {
    const [item] = fc.sample(issued, 1) as [Issued];
    const expected = Buffer.from(encodeIssued(item));
    const response = Buffer.from('credentials of somebody else');
    const broken = { ...create(StatusSchema), code: 'no number' } as never;
    expect(() => encodeBatch([{ response }, { status: broken }])).toThrow();
    expect(encodeIssued(item).equals(expected)).toBe(true);
    expect(() => encodeBatch([{ response }, { status: broken }])).toThrow();
    expect(Buffer.from(encodeBatch([])).length).toBe(0);
  });
});
