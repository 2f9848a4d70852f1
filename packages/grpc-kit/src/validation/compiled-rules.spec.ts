import {
  create,
  createFileRegistry,
  type DescMessage,
  type Message,
  type MessageInitShape,
  setExtension,
} from '@bufbuild/protobuf';
import { scalarZeroValue } from '@bufbuild/protobuf/reflect';
import {
  DescriptorProtoSchema,
  DurationSchema,
  EmptySchema,
  file_google_protobuf_duration,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  type FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  MessageOptionsSchema,
} from '@bufbuild/protobuf/wkt';
import { createValidator } from '@bufbuild/protovalidate';
import {
  DurationRulesSchema,
  EnumRulesSchema,
  field as fieldOption,
  FieldRulesSchema,
  Ignore,
  message as messageOption,
  MessageRulesSchema,
  RepeatedRulesSchema,
  StringRulesSchema,
  UInt32RulesSchema,
  UInt64RulesSchema,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ChatRequestSchema,
  JoinRequestSchema,
  PlainSchema,
  RepeatRequestSchema,
  SayRequestSchema,
  StyleSchema,
} from '../testing/gen/kit/v1/echo_pb.ts';
import {
  ChoiceSchema,
  RequiredChoiceSchema,
  SpacelessSchema,
  TabbedSchema,
  TablessSchema,
} from '../testing/gen/kit/v1/words_pb.ts';
import { patternOf } from './patterns.ts';
import { hasCompiledRules, satisfiesCompiledRules } from './compiled-rules.ts';
import { assertValid, findViolations } from './validation.ts';

type FieldInit = MessageInitShape<typeof FieldDescriptorProtoSchema>;
interface FileInit {
  syntax?: string;
  /** Rule of the message itself. */
  cel?: string;
}
type RulesInit = MessageInitShape<typeof FieldRulesSchema>;

const validator = createValidator({ regexMatch: (pattern, text) => patternOf(pattern).test(text) });
const isValid = (schema: DescMessage, message: Message) =>
  validator.validate(schema, message).kind === 'valid';

const STRING: FieldInit = { type: Type.STRING };
const UINT32: FieldInit = { type: Type.UINT32 };
const UINT64: FieldInit = { type: Type.UINT64 };
const LEVEL: FieldInit = { type: Type.ENUM, typeName: '.rules.Level' };
const DURATION: FieldInit = { type: Type.MESSAGE, typeName: '.google.protobuf.Duration' };
const INNER: FieldInit = { type: Type.MESSAGE, typeName: '.rules.Inner' };
const optional = (field: FieldInit): FieldInit => ({ ...field, proto3Optional: true, oneofIndex: 0 });
const list = (field: FieldInit): FieldInit => ({ ...field, label: Label.REPEATED });

/** A message with one field `value` that has these rules, beside an enum Level (0, 1, 3) and a message Inner. */
function schemaWith(init: FieldInit, rules: RulesInit, file: FileInit = {}): DescMessage {
  const options = create(FieldOptionsSchema);
  setExtension(options, fieldOption, create(FieldRulesSchema, rules));
  const innerOptions = create(FieldOptionsSchema);
  setExtension(
    innerOptions,
    fieldOption,
    create(FieldRulesSchema, { type: { case: 'string', value: { minLen: 2n } } }),
  );
  const messageOptions = create(MessageOptionsSchema);
  if (file.cel !== undefined) {
    setExtension(messageOptions, messageOption, create(MessageRulesSchema, { celExpression: [file.cel] }));
  }
  const field = { name: 'value', number: 1, label: Label.OPTIONAL, ...init, options };
  const text = { name: 'text', number: 1, label: Label.OPTIONAL, ...STRING, options: innerOptions };
  const proto = create(FileDescriptorProtoSchema, {
    name: 'rules.proto',
    package: 'rules',
    syntax: file.syntax ?? 'proto3',
    dependency: [file_google_protobuf_duration.proto.name],
    enumType: [
      {
        name: 'Level',
        value: [
          { name: 'NONE', number: 0 },
          { name: 'LOW', number: 1 },
          { name: 'HIGH', number: 3 },
        ],
      },
    ],
    messageType: [
      create(DescriptorProtoSchema, {
        name: 'Outer',
        field: [field],
        oneofDecl: init.oneofIndex === undefined ? [] : [{ name: '_value' }],
        options: messageOptions,
      }),
      create(DescriptorProtoSchema, { name: 'Inner', field: [text] }),
    ],
  });
  return createFileRegistry(proto, () => file_google_protobuf_duration).getMessage('rules.Outer')!;
}

const messageOf = (schema: DescMessage, value: unknown) => create(schema, { value });
const rulesOf = {
  string: (value: MessageInitShape<typeof StringRulesSchema>): RulesInit => ({
    type: { case: 'string', value },
  }),
  enum: (value: MessageInitShape<typeof EnumRulesSchema>): RulesInit => ({ type: { case: 'enum', value } }),
  uint32: (value: MessageInitShape<typeof UInt32RulesSchema>): RulesInit => ({
    type: { case: 'uint32', value },
  }),
  uint64: (value: MessageInitShape<typeof UInt64RulesSchema>): RulesInit => ({
    type: { case: 'uint64', value },
  }),
  duration: (value: MessageInitShape<typeof DurationRulesSchema>): RulesInit => ({
    type: { case: 'duration', value },
  }),
  repeated: (value: MessageInitShape<typeof RepeatedRulesSchema>): RulesInit => ({
    type: { case: 'repeated', value },
  }),
};

const IF_ZERO = { ignore: Ignore.IF_ZERO_VALUE };
const ALWAYS = { ignore: Ignore.ALWAYS };
const LOW_HIGH = rulesOf.enum({ definedOnly: true, notIn: [0] });
const PATTERN = rulesOf.string({ pattern: '^[^@]+@.$' });
const SIZES = rulesOf.string({ minLen: 2n, maxLen: 4n, minBytes: 3n, maxBytes: 9n });
const UUID = rulesOf.string({ wellKnown: { case: 'uuid', value: true } });

// One to four bytes in UTF-8, lone surrogates and pairs, and texts that match the patterns.
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', '\ud83d', '\ude00', '@', '\n'), maxLength: 6 }),
  fc.uuid(),
  fc.uuid().map((uuid) => uuid.toUpperCase()),
  fc.uuid().map((uuid) => `${uuid}\n`),
  fc.constant('0190b8a2-1234-7abc-8def-0123456789ag'),
);
const level = fc.integer({ min: -1, max: 4 });
const number = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(2 ** 32 - 1));
const wide = fc.oneof(fc.bigInt({ min: 0n, max: 5n }), fc.constant(2n ** 64n - 1n));
const span = (seconds: bigint, nanos: number) => create(DurationSchema, { seconds, nanos });
const spans = fc
  .tuple(fc.bigInt({ min: 0n, max: 4n }), fc.constantFrom(0, 1, 5, 6, 999_999_999))
  .map(([seconds, nanos]) => span(seconds, nanos));
/** Out of the range, or no duration at all. */
const oddSpans = fc
  .tuple(
    fc.constantFrom(-1n, 0n, 2n, 9_223_372_036n, 9_223_372_037n, 2n ** 63n - 1n),
    fc.constantFrom(-1, 0, 1, 1_000_000_000, 2 ** 31 - 1),
  )
  .map(([seconds, nanos]) => span(seconds, nanos));
const maybe = fc.option(spans, { nil: undefined });
const inner = text.map((value) => ({ text: value }));

const KNOWN: [string, FieldInit, RulesInit, fc.Arbitrary<unknown>][] = [
  ['min_len', STRING, rulesOf.string({ minLen: 3n }), text],
  ['max_len', STRING, rulesOf.string({ maxLen: 3n }), text],
  ['min_bytes', STRING, rulesOf.string({ minBytes: 5n }), text],
  ['max_bytes', STRING, rulesOf.string({ maxBytes: 5n }), text],
  ['four sizes', STRING, SIZES, text],
  ['pattern', STRING, PATTERN, text],
  ['prefix', STRING, rulesOf.string({ prefix: 'a' }), text],
  ['uuid', STRING, UUID, text],
  ['uuid that may be empty', STRING, { ...IF_ZERO, ...UUID }, text],
  ['pattern that may be empty', STRING, { ...IF_ZERO, ...PATTERN }, text],
  ['required text', STRING, { required: true, ...rulesOf.string({ maxLen: 3n }) }, text],
  ['rules that are always ignored', STRING, { ...ALWAYS, required: true, ...PATTERN }, text],
  ['optional text', optional(STRING), SIZES, fc.option(text, { nil: undefined })],
  [
    'optional text, zero ignored',
    optional(STRING),
    { ...IF_ZERO, ...SIZES },
    fc.option(text, { nil: undefined }),
  ],
  ['required optional text', optional(STRING), { required: true }, fc.option(text, { nil: undefined })],
  ['defined_only', LEVEL, rulesOf.enum({ definedOnly: true }), level],
  ['not_in', LEVEL, rulesOf.enum({ notIn: [1, 4] }), level],
  ['defined_only and not_in', LEVEL, LOW_HIGH, level],
  ['enum that may be zero', LEVEL, { ...IF_ZERO, ...LOW_HIGH }, level],
  ['required enum', LEVEL, { required: true, ...rulesOf.enum({ definedOnly: true }) }, level],
  ['gte', UINT32, rulesOf.uint32({ greaterThan: { case: 'gte', value: 2 } }), number],
  ['lte', UINT32, rulesOf.uint32({ lessThan: { case: 'lte', value: 3 } }), number],
  [
    'gte that may be zero',
    UINT32,
    { ...IF_ZERO, ...rulesOf.uint32({ greaterThan: { case: 'gte', value: 2 } }) },
    number,
  ],
  [
    'optional gte',
    optional(UINT32),
    rulesOf.uint32({ greaterThan: { case: 'gte', value: 2 } }),
    fc.option(number, { nil: undefined }),
  ],
  ['64 bits, gte', UINT64, rulesOf.uint64({ greaterThan: { case: 'gte', value: 2n } }), wide],
  ['64 bits, lte', UINT64, rulesOf.uint64({ lessThan: { case: 'lte', value: 3n } }), wide],
  [
    '64 bits, lte that may be zero',
    UINT64,
    { ...IF_ZERO, ...rulesOf.uint64({ greaterThan: { case: 'gte', value: 2n } }) },
    wide,
  ],
  ['duration', DURATION, {}, maybe],
  ['duration, gte', DURATION, rulesOf.duration({ greaterThan: { case: 'gte', value: span(2n, 5) } }), maybe],
  ['duration, lte', DURATION, rulesOf.duration({ lessThan: { case: 'lte', value: span(3n, 0) } }), maybe],
  ['required duration', DURATION, { required: true }, maybe],
  ['message', INNER, {}, fc.option(inner, { nil: undefined })],
  ['required message', INNER, { required: true }, fc.option(inner, { nil: undefined })],
  ['ignored message', INNER, { ...ALWAYS, required: true }, fc.option(inner, { nil: undefined })],
  ['list of messages', list(INNER), rulesOf.repeated({ maxItems: 2n }), fc.array(inner, { maxLength: 3 })],
  [
    'list of ignored messages',
    list(INNER),
    rulesOf.repeated({ minItems: 1n, items: ALWAYS }),
    fc.array(inner, { maxLength: 2 }),
  ],
  [
    'list of texts',
    list(STRING),
    rulesOf.repeated({ minItems: 1n, maxItems: 2n, items: SIZES }),
    fc.array(text, { maxLength: 3 }),
  ],
  [
    'list that may be empty',
    list(STRING),
    { ...IF_ZERO, ...rulesOf.repeated({ minItems: 2n }) },
    fc.array(text, { maxLength: 3 }),
  ],
  [
    'required list',
    list(STRING),
    { required: true, ...rulesOf.repeated({ maxItems: 2n }) },
    fc.array(text, { maxLength: 3 }),
  ],
  ['list of enums', list(LEVEL), rulesOf.repeated({ items: LOW_HIGH }), fc.array(level, { maxLength: 3 })],
];

describe('a rule that is known', () => {
  it.each(KNOWN)('is kept where protovalidate finds it kept: %s', (_, field, rules, values) => {
    const schema = schemaWith(field, rules);
    expect(hasCompiledRules(schema)).toBe(true);
    fc.assert(
      fc.property(values, (value) => {
        const message = messageOf(schema, value);
        expect([value, satisfiesCompiledRules(schema, message)]).toEqual([value, isValid(schema, message)]);
      }),
      { numRuns: 300 },
    );
  });

  it.each(KNOWN)(
    'is never kept by a value of another type that protovalidate refuses: %s',
    (_, field, rules) => {
      const schema = schemaWith(field, rules);
      const strange = fc.oneof(
        fc.constantFrom<unknown>(
          undefined,
          null,
          '',
          '0',
          'ab',
          0,
          -0,
          NaN,
          1n,
          true,
          {},
          [],
          [undefined],
          [''],
        ),
        fc.anything({ maxDepth: 1 }),
      );
      fc.assert(
        fc.property(strange, (value) => {
          const message = Object.assign(create(schema), { value });
          expect(satisfiesCompiledRules(schema, message) && !isValid(schema, message)).toBe(false);
        }),
        { numRuns: 300 },
      );
    },
  );
});

describe('a rule that is not known', () => {
  const known = [
    'minLen',
    'maxLen',
    'minBytes',
    'maxBytes',
    'pattern',
    'prefix',
    'uuid',
    'definedOnly',
    'notIn',
    'gte',
    'lte',
  ];
  const others = (
    [
      ['string', STRING, StringRulesSchema],
      ['enum', LEVEL, EnumRulesSchema],
      ['uint32', UINT32, UInt32RulesSchema],
      ['uint64', UINT64, UInt64RulesSchema],
      ['duration', DURATION, DurationRulesSchema],
    ] as const
  ).flatMap(([kind, field, rules]) =>
    rules.fields
      .filter(({ localName }) => !known.includes(localName) || (kind !== 'enum' && localName === 'notIn'))
      .map((rule) => [`${kind}.${rule.name}`, kind, field, rules, rule] as const),
  );

  it.each(others)('leaves the message to protovalidate: %s', (_, kind, field, schema, rule) => {
    const one = rule.message
      ? create(rule.message)
      : rule.scalar === undefined
        ? 0
        : scalarZeroValue(rule.scalar, false);
    const value = rule.fieldKind === 'list' ? [one] : one;
    const init = rule.oneof
      ? { [rule.oneof.localName]: { case: rule.localName, value } }
      : { [rule.localName]: value };
    const rules = { type: { case: kind, value: create(schema, init as object) } } as RulesInit;
    expect(hasCompiledRules(schemaWith(field, rules))).toBe(false);
    expect(hasCompiledRules(schemaWith(list(field), rulesOf.repeated({ items: rules })))).toBe(false);
  });

  const unknown = { $unknown: [{ no: 5000, wireType: 0, data: new Uint8Array([1]) }] };
  const rows: [string, FieldInit, RulesInit, FileInit?][] = [
    ['CEL of a field', STRING, { celExpression: ['this != "a"'] }],
    ['CEL of an item', list(STRING), rulesOf.repeated({ items: { celExpression: ['this != "a"'] } })],
    ['CEL of the message', STRING, {}, { cel: 'this.value != "a"' }],
    ['unique', list(STRING), rulesOf.repeated({ unique: true })],
    ['a required item', list(STRING), rulesOf.repeated({ items: { required: true } })],
    ['an item that may be zero', list(STRING), rulesOf.repeated({ items: { ...IF_ZERO, ...SIZES } })],
    ['a rule of another type', STRING, rulesOf.uint32({ lessThan: { case: 'lte', value: 1 } })],
    ['a rule of one value on a list', list(STRING), SIZES],
    ['a rule of a list on one value', STRING, rulesOf.repeated({ minItems: 1n })],
    ['a rule of a text on a message', INNER, SIZES],
    ['a rule of bool', { type: Type.BOOL }, { type: { case: 'bool', value: { const: true } } }],
    ['a required bool', { type: Type.BOOL }, { required: true }],
    ['a required number that has no rule', UINT32, { required: true }],
    ['a pattern that is none', STRING, rulesOf.string({ pattern: '(' })],
    ['uuid switched off', STRING, rulesOf.string({ wellKnown: { case: 'uuid', value: false } })],
    ['a field of a oneof that is ignored', { ...STRING, oneofIndex: 0 }, { ...ALWAYS, ...SIZES }],
    ['a required field of a oneof', { ...STRING, oneofIndex: 0 }, { required: true }],
    ['a rule of a field of a oneof', { ...STRING, oneofIndex: 0 }, { celExpression: ['this != "a"'] }],
    ['a message that contains itself', { type: Type.MESSAGE, typeName: '.rules.Outer' }, {}],
    ['proto2', STRING, SIZES, { syntax: 'proto2' }],
    ['a rule from the future', STRING, Object.assign(create(FieldRulesSchema), unknown)],
    [
      'a rule of text from the future',
      STRING,
      rulesOf.string(Object.assign(create(StringRulesSchema), unknown)),
    ],
  ];
  it.each(rows.map(([name, field, rules, file]) => ({ name, field, rules, file })))(
    'leaves the message to protovalidate: $name',
    ({ field, rules, file }) => {
      const schema = schemaWith(field, rules, file ?? {});
      expect(hasCompiledRules(schema)).toBe(false);
      expect(satisfiesCompiledRules(schema, create(schema))).toBe(false);
    },
  );
});

describe('a predefined rule', () => {
  const withSpaces = fc.string({ unit: fc.constantFrom('a', ' ', '\t', '\ud83d', '😀'), maxLength: 5 });

  it('that is a pattern is compiled, and the same for protovalidate', () => {
    expect(hasCompiledRules(TablessSchema)).toBe(true);
    fc.assert(
      fc.property(withSpaces, (value) => {
        const message = create(TablessSchema, { text: value });
        expect(satisfiesCompiledRules(TablessSchema, message)).toBe(
          findViolations(TablessSchema, message).length === 0,
        );
      }),
    );
  });

  it('of another form, or that is switched off, is left to protovalidate', () => {
    expect([SpacelessSchema, TabbedSchema].map(hasCompiledRules)).toEqual([false, false]);
    expect(findViolations(TabbedSchema, create(TabbedSchema, { text: '\t' }))).toEqual([]);
    expect(() => {
      assertValid(SpacelessSchema, create(SpacelessSchema, { texts: ['\t'] }));
    }).not.toThrow();
  });

  it('that is broken is named by its field and its own text', () => {
    expect(findViolations(TablessSchema, create(TablessSchema, { text: '\t' }))).toEqual([
      { field: 'text', description: 'must not contain tabs' },
    ]);
    expect(findViolations(SpacelessSchema, create(SpacelessSchema, { texts: ['', ' '] }))).toEqual([
      { field: 'texts[1]', description: 'must not contain spaces' },
    ]);
  });

  it('of the same number for values of another type is not mistaken for it', () => {
    const unknownRule = { no: 50001, wireType: 0, data: new Uint8Array([1]) };
    const rules = rulesOf.uint32(Object.assign(create(UInt32RulesSchema), { $unknown: [unknownRule] }));
    expect(hasCompiledRules(schemaWith(UINT32, rules))).toBe(false);
  });
});

it.each([
  ['gte', rulesOf.duration({ greaterThan: { case: 'gte', value: span(2n, 5) } })],
  ['lte', rulesOf.duration({ lessThan: { case: 'lte', value: span(3n, 0) } })],
])('a duration that is out of the range is never let through by %s', (_, rules) => {
  const schema = schemaWith(DURATION, rules);
  fc.assert(
    fc.property(oddSpans, (value) => {
      const message = messageOf(schema, value);
      expect([value, satisfiesCompiledRules(schema, message) && !isValid(schema, message)]).toEqual([
        value,
        false,
      ]);
    }),
  );
});

describe('a oneof', () => {
  const member = fc.oneof(
    fc.record({ case: fc.constant('text' as const), value: text }),
    fc.record({ case: fc.constant('inner' as const), value: text.map((value) => ({ text: value })) }),
    fc.record({ case: fc.constant('length' as const), value: spans }),
    fc.record({ case: fc.constant(undefined) }),
  );

  it.each([ChoiceSchema, RequiredChoiceSchema])('is kept where protovalidate finds it kept: %s', (schema) => {
    expect(hasCompiledRules(schema)).toBe(true);
    fc.assert(
      fc.property(member, (choice) => {
        const message = create(schema, { choice });
        expect([choice, satisfiesCompiledRules(schema, message)]).toEqual([
          choice,
          findViolations(schema, message).length === 0,
        ]);
      }),
      { numRuns: 1000 },
    );
  });

  it('is never kept by a member that it does not have', () => {
    for (const choice of [{ case: 'other', value: '' }, { case: 'toString' }, undefined, null, 'text']) {
      const message = Object.assign(create(ChoiceSchema), { choice });
      expect(satisfiesCompiledRules(ChoiceSchema, message)).toBe(false);
    }
  });
});

describe('satisfiesCompiledRules', () => {
  it('takes a message of another type for none of its own, as protovalidate does', () => {
    const schema = schemaWith(STRING, {});
    expect(satisfiesCompiledRules(schema, create(schema))).toBe(true);
    expect(satisfiesCompiledRules(schema, create(EmptySchema))).toBe(false);
    expect(
      satisfiesCompiledRules(schemaWith(INNER, {}), messageOf(schemaWith(INNER, {}), create(EmptySchema))),
    ).toBe(false);
  });

  it('does not take what a message inherits for present', () => {
    const schema = schemaWith(INNER, { required: true });
    const message = Object.assign(Object.create(messageOf(schema, { text: 'ab' })), {
      $typeName: schema.typeName,
    });
    expect([satisfiesCompiledRules(schema, message), isValid(schema, message)]).toEqual([false, false]);
  });

  it('knows the rules of the echo service, but for CEL, which is obeyed all the same', () => {
    const schemas = [
      PlainSchema,
      RepeatRequestSchema,
      JoinRequestSchema,
      ChatRequestSchema,
      SayRequestSchema,
      StyleSchema,
    ];
    expect(schemas.map(hasCompiledRules)).toEqual([true, true, true, true, false, false]);
    expect(() => assertValid(SayRequestSchema, create(SayRequestSchema, { style: { loud: true } }))).toThrow(
      'a loud text has a volume of at least 1',
    );
  });

  it('agrees with protovalidate about the messages of the echo service', () => {
    const near64 = fc.string({ unit: fc.constantFrom('a', '😀', '\ud83d'), minLength: 60, maxLength: 68 });
    fc.assert(
      fc.property(near64, (value) => {
        const message = create(ChatRequestSchema, { text: value });
        expect(satisfiesCompiledRules(ChatRequestSchema, message)).toBe(isValid(ChatRequestSchema, message));
      }),
    );
  });
});
