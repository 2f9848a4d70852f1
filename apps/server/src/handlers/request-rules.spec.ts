import { create } from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';
import { IssueCredentialsRequestSchema, TokenKind, ValidateTokenRequestSchema } from '@callpass/contract';
import { assertValid } from '@callpass/grpc-kit';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

const protovalidate = createValidator({
  regexMatch: (pattern, value) => new RegExp(pattern, 'u').test(value),
});

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.integer({ min: 60, max: 260 }).map((length) => 'a'.repeat(length)),
);
const address = fc.oneof(fc.constantFrom('', 'support@kandy.example', 'é@x', '@', 'a@b@c'), text);

const requests = fc.oneof(
  fc
    .record({
      destination: fc.oneof(fc.constantFrom('', 'support', 'a'.repeat(64), 'a'.repeat(65), '-a', 'A'), text),
      subject: text,
      callee: address,
      caller: address,
      requestId: fc.oneof(fc.constant(''), fc.uuid(), text),
    })
    .map((init) => ({
      schema: IssueCredentialsRequestSchema,
      message: create(IssueCredentialsRequestSchema, init),
    })),
  fc
    .record({
      realm: fc.oneof(fc.constantFrom('', 'support.example', 'a b'), text),
      token: fc.oneof(
        text,
        fc.integer({ min: 4090, max: 4100 }).map((length) => 'A'.repeat(length)),
      ),
      kind: fc.constantFrom(...([0, 1, 2, 3, 4, 99, -1] as TokenKind[])),
      requireIssuedHere: fc.boolean(),
    })
    .map((init) => ({
      schema: ValidateTokenRequestSchema,
      message: create(ValidateTokenRequestSchema, init),
    })),
);

describe('requests', () => {
  it('are let in or refused as the rules of the contract say, by which way ever they are checked', () => {
    let valid = 0;
    fc.assert(
      fc.property(requests, ({ schema, message }) => {
        const judge = () => {
          assertValid(schema, message);
        };
        if (protovalidate.validate(schema, message).kind === 'valid') {
          valid++;
          expect(judge).not.toThrow();
        } else expect(judge).toThrow('invalid request: ');
      }),
      { numRuns: 3000 },
    );
    expect(valid).toBeGreaterThan(100);
  });
});
