import { create, createRegistry, type DescMessage, type Message } from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';
import {
  AdminService,
  ApplyConfigurationRequestSchema,
  BatchIssueCredentialsRequestSchema,
  BatchValidateCredentialsRequestSchema,
  BatchValidateTokensRequestSchema,
  CredentialService,
  type IssueCredentialsRequest,
  IssueCredentialsRequestSchema,
  LedgerService,
  type Cipher,
  type LimitScope,
  type Role,
  type MessageFields,
  type TokenKind,
  ValidateCredentialsRequestSchema,
  ValidateTokenRequestSchema,
} from '@callpass/contract';
import { assertValid, hasCompiledRules, satisfiesCompiledRules } from '@callpass/grpc-kit';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

const protovalidate = createValidator({
  registry: createRegistry(...CredentialService.file.dependencies),
  regexMatch: (pattern, value) => new RegExp(pattern, 'u').test(value),
});

/** Of characters of one to four bytes and halves of surrogate pairs, and of lengths at the bounds. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', '\ud83d', '\ude00'), maxLength: 140 }),
  fc.constantFrom(63, 64, 65, 85, 86, 128, 129, 255, 256, 257).map((length) => 'a'.repeat(length)),
  fc.constantFrom(64, 65, 128, 129).map((length) => '😀'.repeat(length)),
);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
/** Mostly values that hold: the more fields a message has, the fewer are valid where each field is anything. */
const mostly = (sound: readonly string[], anything: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...sound) }, { weight: 1, arbitrary: anything });
const address = fc.oneof(fc.constantFrom('', 'support@kandy.example', 'é@x', '@', 'a@b@c'), text);
const realm = fc.oneof(fc.constantFrom('', 'support.example', 'a b'), text);
const token = fc.oneof(
  text,
  fc.integer({ min: 4090, max: 4100 }).map((length) => 'A'.repeat(length)),
);
const issue: fc.Arbitrary<MessageFields<IssueCredentialsRequest>> = fc.record({
  destination: mostly(
    ['support', 'a'.repeat(64)],
    fc.oneof(fc.constantFrom('', 'a'.repeat(65), '-a', 'A'), text),
  ),
  subject: mostly(['', 'visitor'], text),
  callee: mostly(['', 'support@kandy.example', 'é@x'], address),
  caller: mostly(['', 'support@kandy.example', 'é@x'], address),
  requestId: mostly([''], fc.oneof(fc.uuid(), text)),
});

const span = fc
  .tuple(fc.constantFrom(0n, 1n, 60n, 600n, 601n, 86_400n, 86_401n), fc.constantFrom(0, 0, 0, 1, 500_000_000))
  .map(([seconds, nanos]) => ({ seconds, nanos }));
const word = fc.oneof(fc.constantFrom('a', 'support', 'a@b', 'é@x', '', 'a\0b', '*'), text);
const configuration = fc.record({
  realms: fc.array(
    fc.record({
      name: realm,
      cipher: fc.constantFrom(0, 1, 2, 3 as Cipher),
      tokenLifetime: optional(span),
      maxClockSkew: optional(span),
    }),
    { maxLength: 1 },
  ),
  destinations: fc.array(
    fc.record({
      id: word,
      account: address,
      callees: fc.array(address, { maxLength: 2 }),
      hours: optional(fc.record({ timeZone: word, open: fc.array(word, { maxLength: 2 }) })),
      limits: fc.array(
        fc.record({
          per: fc.constantFrom(0, 1 as LimitScope),
          max: fc.nat({ max: 2 }),
          window: optional(span),
        }),
        { maxLength: 1 },
      ),
    }),
    { maxLength: 1 },
  ),
  clients: fc.array(
    fc.record({
      name: word,
      identities: fc.array(
        fc.oneof(
          fc.record({ kind: fc.record({ case: fc.constantFrom('dnsName', 'commonName'), value: word }) }),
          fc.record({
            kind: fc.record({
              case: fc.constant('jwt'),
              value: fc.record({ issuer: word, subject: word }),
            }),
          }),
          fc.record({}),
        ),
        { maxLength: 1 },
      ),
      grants: fc.array(
        fc.record({ role: fc.constantFrom(0, 1 as Role), destinations: fc.array(word, { maxLength: 2 }) }),
        { maxLength: 1 },
      ),
    }),
    { maxLength: 1 },
  ),
});

const validateToken = fc.record({
  realm,
  token,
  kind: fc.constantFrom(...([0, 1, 2, 3, 4, 99, -1] as TokenKind[])),
  requireIssuedHere: fc.boolean(),
  ignoreExpiry: fc.boolean(),
});
const validateCredentials = fc.record({
  timeLimited: optional(fc.record({ realm, accountToken: token, fromToken: token, toToken: token })),
  expectedCallee: optional(address),
  expectedCaller: optional(address),
  requireIssuedHere: fc.boolean(),
});
const batchOf = (request: fc.Arbitrary<object>) =>
  fc.oneof(
    fc.record({ requests: fc.array(request, { maxLength: 3 }) }),
    fc.constantFrom(256, 257).map((length) => ({ requests: Array<object>(length).fill({}) })),
  );

const REQUESTS: [DescMessage, fc.Arbitrary<object>][] = [
  [IssueCredentialsRequestSchema, issue],
  [BatchIssueCredentialsRequestSchema, batchOf(issue)],
  [BatchValidateTokensRequestSchema, batchOf(validateToken)],
  [BatchValidateCredentialsRequestSchema, batchOf(validateCredentials)],
  [ApplyConfigurationRequestSchema, fc.record({ configuration: optional(configuration) })],
  [ValidateTokenRequestSchema, validateToken],
  [ValidateCredentialsRequestSchema, validateCredentials],
];

const isValid = (schema: DescMessage, message: Message) =>
  protovalidate.validate(schema, message).kind === 'valid';

describe('requests', () => {
  it.each(REQUESTS)('are let in or refused as the rules of the contract say: %s', (schema, inits) => {
    let valid = 0;
    fc.assert(
      fc.property(inits, (init) => {
        const message = create(schema, init as Record<string, unknown>);
        const assert = () => {
          assertValid(schema, message);
        };
        const expected = isValid(schema, message);
        expect(satisfiesCompiledRules(schema, message)).toBe(expected);
        if (expected) {
          valid++;
          expect(assert).not.toThrow();
        } else expect(assert).toThrow('invalid request: ');
      }),
      { numRuns: 1500 },
    );
    expect(valid).toBeGreaterThan(10);
  });

  it('are cheap to check but for those of operators that have rules of other kinds', () => {
    const slow = [CredentialService, AdminService, LedgerService]
      .flatMap(({ methods }) => methods)
      .filter(({ input }) => !hasCompiledRules(input))
      .map(({ name }) => name);
    expect(slow).toEqual([
      'Freeze',
      'TryIssue',
      'ReplayConfiguration',
      'ListEntries',
      'VerifyLedger',
      'SummarizeEntries',
      'RemoveEntries',
    ]);
  });
});
