import { create, type DescMessage, type Message, type MessageInitShape } from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  JoinRequestSchema,
  Kind,
  PlainSchema,
  SayRequestSchema,
  StyleSchema,
} from '../testing/gen/kit/v1/echo_pb.ts';
import { compilePlainRules } from './plain-rules.ts';
import { assertValid } from './validation.ts';

const regexMatch = (pattern: string, text: string) => new RegExp(pattern, 'u').test(text);
const protovalidate = createValidator({ regexMatch });
const isValid = (schema: DescMessage, message: Message) =>
  protovalidate.validate(schema, message).kind === 'valid';
const plain = (init: MessageInitShape<typeof PlainSchema> = {}) =>
  create(PlainSchema, { word: 'word', ...init });

/** Of every length near the bounds, with characters of one to four bytes and halves of surrogate pairs. */
const text = fc
  .array(fc.constantFrom('a', 'z', 'A', ' ', '\0', 'é', '€', '😀', '\ud83d', '\ude00'), { maxLength: 26 })
  .map((characters) => characters.join(''));
const messages = fc
  .record({
    word: fc.oneof(fc.constantFrom('', 'a', 'é', '😀', 'abcdefgh', 'abcdefghi', '😀😀😀😀'), text),
    note: text,
    code: text,
    id: fc.oneof(fc.constant(''), fc.uuid(), text),
    kind: fc.constantFrom(...([0, 3, 1, -1, 2 ** 31 - 1] as Kind[])),
    loud: fc.boolean(),
  })
  .map((init) => create(PlainSchema, init));

describe('compilePlainRules', () => {
  it('says yes to no message in which protovalidate finds a fault', () => {
    const check = compilePlainRules(PlainSchema, regexMatch);
    let yes = 0;
    fc.assert(
      fc.property(messages, (message) => {
        if (!check?.(message)) return;
        yes++;
        expect(isValid(PlainSchema, message)).toBe(true);
      }),
      { numRuns: 5000 },
    );
    expect(yes).toBeGreaterThan(10);
  });

  it.each<MessageInitShape<typeof PlainSchema>>([
    {},
    { word: 'abcdefgh', note: 'abcdefgh', code: 'abc', kind: Kind.LONG, loud: true },
    { word: 'é', code: '' },
  ])('says yes to an ordinary message: %j', (init) => {
    expect(compilePlainRules(PlainSchema, regexMatch)?.(plain(init))).toBe(true);
  });

  it('leaves to protovalidate what takes looking into', () => {
    const message = plain({ id: '01890a5d-ac96-774b-bcce-b302099a8057', note: 'ordinary, but long' });
    expect(compilePlainRules(PlainSchema, regexMatch)?.(message)).toBe(false);
    expect(() => assertValid(PlainSchema, message)).not.toThrow();
  });

  it.each([
    ['a list and a message inside', SayRequestSchema],
    ['rules of the message', StyleSchema],
  ])('has no yes for a type with %s', (_, schema) => {
    expect(compilePlainRules(schema, regexMatch)).toBeUndefined();
  });

  it('has one for a type with a bound only', () => {
    const check = compilePlainRules(JoinRequestSchema, regexMatch);
    expect(
      [64, 65].map((length) => check?.(create(JoinRequestSchema, { text: 'x'.repeat(length) }))),
    ).toEqual([true, false]);
  });
});

describe('assertValid', () => {
  it('refuses what protovalidate finds a fault in, and nothing else', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const judge = () => {
          assertValid(PlainSchema, message);
        };
        if (isValid(PlainSchema, message)) expect(judge).not.toThrow();
        else expect(judge).toThrow('invalid request: ');
      }),
      { numRuns: 2000 },
    );
  });
});
