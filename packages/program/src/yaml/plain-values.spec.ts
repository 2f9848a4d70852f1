import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LineCounter } from 'yaml';
import { readPlainYaml } from './plain-values.ts';
import { YamlError } from './read-yaml.ts';

/** Texts, numbers, booleans, lists and objects, also under the names that objects have themselves. */
const { value: VALUES } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.string({
      unit: fc.constantFrom('a', '7', ' ', ':', '#', '-', '*', '&', '!', '"', "'", '\n', 'é', '~'),
    }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.string({ maxLength: 5 }).filter(isPlain), fc.constantFrom('__proto__', 'toString', 'null')),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}));

function isPlain(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- the rule is about control characters
  return !/[\x00-\x1f\x7f-\x9f]/.test(text);
}

function faultsOf(text: string) {
  const lines = new LineCounter();
  try {
    readPlainYaml(text, lines);
    return [];
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return error.faults.map(({ offset, message }) => ({ line: lines.linePos(offset).line, message }));
  }
}

describe('readPlainYaml', () => {
  it('reads any JSON as JSON does, since that is YAML', () => {
    fc.assert(
      fc.property(VALUES, fc.constantFrom(0, 1, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(readPlainYaml(text).value).toEqual(JSON.parse(text));
      }),
    );
  });

  it('reads an alias as what it stands for, however often and however deep', () => {
    fc.assert(
      fc.property(VALUES, fc.integer({ min: 1, max: 20 }), (value, times) => {
        const text = `- &a ${JSON.stringify(value)}\n- &b [*a]\n${'- { b: *b }\n'.repeat(times)}`;
        const repeated = Array.from({ length: times }, () => ({ b: [value] }));
        expect(readPlainYaml(text).value).toEqual([value, [value], ...repeated]);
      }),
    );
  });

  it('names the line of the first alias that is too much, and only that', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1000, max: 20_000 }),
        fc.integer({ min: 0, max: 30 }),
        (values, before) => {
          const text = `${'- 1\n'.repeat(before)}- &a [${'1,'.repeat(values)}]\n${'- *a\n'.repeat(120)}`;
          const tooMuch = before + 1 + Math.floor(100_000 / (values + 1)) + 1;
          expect(faultsOf(text)).toEqual(
            tooMuch > before + 121
              ? []
              : [{ line: tooMuch, message: expect.stringContaining('repeats too much') }],
          );
        },
      ),
      { numRuns: 10 },
    );
  });
});
