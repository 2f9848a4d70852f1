import {
  create,
  type DescField,
  type DescMessage,
  getOption,
  type MessageInitShape,
  ScalarType,
} from '@bufbuild/protobuf';
import { field as fieldRules } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { AdminService, CredentialService, LedgerService, REASONS } from '@callpass/contract';
import { findViolations } from '@callpass/grpc-kit';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

/** Parts that no text for a person may hold: words of libraries, and what a program prints of a value that it does not have. */
const NOT_FOR_PEOPLE =
  /protovalidate|\bCEL\b|grpc-js|nghttp2|Ajv|regex|regular expression|\bpattern\b|\boneof\b|undefined|null|NaN|\[object|\^\[|\\[sdxpP]|\(s\)/i;

const REQUESTS: readonly DescMessage[] = [CredentialService, AdminService, LedgerService].flatMap(
  ({ methods }) => methods.map(({ input }) => input),
);
const SCALARS = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom('', 'A B', 'sip:a@b', '\0', 'x'.repeat(5000)),
);
const NUMBERS = fc.oneof(fc.constantFrom(0, 9, 2 ** 31 - 1), fc.nat());

/** Any message of a type, valid or not. */
function anyOf(desc: DescMessage, depth = 0): fc.Arbitrary<MessageInitShape<DescMessage>> {
  const oneofs = desc.oneofs.map(({ localName, fields }) => [
    localName,
    fc.option(
      fc.oneof(
        ...fields.map((field) => valueOf(field, depth).map((value) => ({ case: field.localName, value }))),
      ),
      { nil: undefined },
    ),
  ]);
  const fields = desc.fields
    .filter(({ oneof }) => oneof === undefined)
    .map((field) => [field.localName, valueOf(field, depth)]);
  return fc.record(Object.fromEntries([...oneofs, ...fields]), { requiredKeys: [] });
}

function valueOf(field: DescField, depth: number): fc.Arbitrary<unknown> {
  const one = itemOf(field, depth);
  return field.fieldKind === 'list' ? fc.array(one, { maxLength: 3 }) : one;
}

function itemOf(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.message?.typeName.startsWith('google.protobuf.'))
    return fc.record({
      seconds: fc.bigInt({ min: -(10n ** 11n), max: 10n ** 12n }),
      nanos: fc.nat(999_999_999),
    });
  if (field.message !== undefined) return depth > 5 ? fc.constant({}) : anyOf(field.message, depth + 1);
  if (field.enum !== undefined) return NUMBERS;
  const known: Partial<Record<ScalarType, fc.Arbitrary<unknown>>> = {
    [ScalarType.BOOL]: fc.boolean(),
    [ScalarType.STRING]: SCALARS,
    [ScalarType.BYTES]: fc.uint8Array({ maxLength: 64 }),
    [ScalarType.UINT64]: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  };
  return (field.scalar && known[field.scalar]) ?? NUMBERS;
}

/** A field of a request, and the request that has this value there and nothing else. */
interface Place {
  readonly path: string;
  readonly field: DescField;
  readonly withValue: (value: unknown) => MessageInitShape<DescMessage>;
}

function placesIn(message: DescMessage, prefix = ''): Place[] {
  return message.fields.flatMap((field) => {
    const withValue = (value: unknown) => {
      const inField = field.fieldKind === 'list' ? [value] : value;
      return field.oneof
        ? { [field.oneof.localName]: { case: field.localName, value: inField } }
        : { [field.localName]: inField };
    };
    const path = `${prefix}${field.name}${field.fieldKind === 'list' ? '[0]' : ''}`;
    if (field.message === undefined || field.message.typeName.startsWith('google.protobuf.'))
      return [{ path, field, withValue }];
    return placesIn(field.message, `${path}.`).map((inner) => ({
      ...inner,
      withValue: (value: unknown) => withValue(inner.withValue(value)),
    }));
  });
}

/** Tokens of any text are answered with a verdict. */
const TOKENS = ['token', 'account_token', 'from_token', 'to_token'];

describe('a request in which one value is no good', () => {
  const fieldsOf = (desc: DescMessage, { withValue }: Place, value: unknown) =>
    findViolations(desc, create(desc, withValue(value))).map(({ field }) => field);

  // Each request of a batch is validated on its own.
  const alone = REQUESTS.filter(({ name }) => !name.startsWith('Batch'));
  it.each(alone.map((desc) => [desc.name, desc] as const))(
    'a control character anywhere in a text of %s is refused, naming the field',
    (_name, desc) => {
      const texts = placesIn(desc).filter(
        ({ field }) => field.scalar === ScalarType.STRING && !TOKENS.includes(field.name),
      );
      if (texts.length === 0) return;
      const control = fc
        .oneof(fc.integer({ min: 0, max: 0x1f }), fc.integer({ min: 0x7f, max: 0x9f }))
        .map((code) => String.fromCharCode(code));
      const part = fc.string({ maxLength: 20 });
      fc.assert(
        fc.property(fc.constantFrom(...texts), part, control, part, (place, before, bad, after) => {
          expect(fieldsOf(desc, place, before + bad + after)).toContain(place.path);
        }),
        { numRuns: 60 },
      );
    },
  );

  it('a fraction of a second is refused where the contract says whole seconds, naming the field', () => {
    const durations = alone.flatMap((desc) =>
      placesIn(desc)
        .filter(({ field }) => field.message?.typeName === 'google.protobuf.Duration')
        .filter(({ field }) => field.name !== 'max_clock_skew')
        .map((place) => ({ desc, place })),
    );
    expect(durations.length).toBeGreaterThan(1);
    fc.assert(
      fc.property(
        fc.constantFrom(...durations),
        fc.bigInt({ min: 0n, max: 100_000n }),
        fc.integer({ min: 1, max: 999_999_999 }),
        ({ desc, place }, seconds, nanos) => {
          expect(fieldsOf(desc, place, { seconds, nanos })).toContain(place.path);
        },
      ),
    );
  });
});

describe('a text for a person', () => {
  it.each(REQUESTS.map((desc) => [desc.name, desc] as const))(
    'about a field of %s holds no word of a library and no regular expression',
    (_name, desc) => {
      fc.assert(
        fc.property(anyOf(desc), (init) => {
          for (const { description } of findViolations(desc, create(desc, init))) {
            expect(description).not.toMatch(NOT_FOR_PEOPLE);
            expect(description).toMatch(/^(must|has) .{4,}$/);
            expect(description.length).toBeLessThanOrEqual(120);
          }
        }),
        { numRuns: 40 },
      );
    },
  );

  it('about a reason says what to do next', () => {
    for (const [reason, { message }] of Object.entries(REASONS)) {
      expect([reason, message]).toEqual([reason, expect.stringMatching(/^[^;]{5,}; .{5,}$/)]);
      expect(message).not.toMatch(NOT_FOR_PEOPLE);
    }
  });

  it('comes from a rule with a message, where the rule is a pattern', () => {
    const seen = new Set<DescMessage>();
    const patterns = (desc: DescMessage): string[] => {
      if (seen.has(desc)) return [];
      seen.add(desc);
      return desc.fields.flatMap((field) => {
        const { type } = getOption(field, fieldRules);
        const rules = type.case === 'repeated' ? type.value.items?.type : type;
        const own =
          rules?.case === 'string' && rules.value.pattern !== '' ? [`${desc.name}.${field.name}`] : [];
        return [...own, ...(field.message ? patterns(field.message) : [])];
      });
    };
    expect(REQUESTS.flatMap(patterns)).toEqual([]);
  });
});
