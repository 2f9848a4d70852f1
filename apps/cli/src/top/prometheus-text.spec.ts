import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parsePrometheusText } from './prometheus-text.ts';

const read = (text: string) =>
  parsePrometheusText(text).map(({ name, labels, value }) => [name, Object.fromEntries(labels), value]);

describe('parsePrometheusText', () => {
  it('reads names, labels and values, and passes over comments and timestamps', () => {
    const text = [
      '# HELP calls_total Calls.',
      '# TYPE calls_total counter',
      'calls_total{method="a",code="b"} 3 1700000000000',
      'calls_total {method = "c" , } 4.5e2',
      '',
      'up\t1\r',
      'delay +Inf',
      'least -Inf',
      'unknown NaN',
      'in:rule{} .5',
    ].join('\n');
    expect(read(text)).toEqual([
      ['calls_total', { method: 'a', code: 'b' }, 3],
      ['calls_total', { method: 'c' }, 450],
      ['up', {}, 1],
      ['delay', {}, Infinity],
      ['least', {}, -Infinity],
      ['unknown', {}, NaN],
      ['in:rule', {}, 0.5],
    ]);
  });

  it('reads the escapes of a label, and braces in it', () => {
    expect(read('a{l="x\\\\y\\"z\\n{}",__proto__="p"} 1')).toEqual([
      [
        'a',
        Object.fromEntries([
          ['l', 'x\\y"z\n{}'],
          ['__proto__', 'p'],
        ]),
        1,
      ],
    ]);
  });

  it.each([
    ['no value', 'a'],
    ['no blank before the value', 'a+1'],
    ['a name that begins with a digit', '1a 1'],
    ['a value that is no number', 'a 1x'],
    ['a hexadecimal value', 'a 0x1'],
    ['a timestamp that is no number', 'a 1 now'],
    ['more behind the timestamp', 'a 1 2 3'],
    ['an open label', 'a{l="x} 1'],
    ['an unknown escape', 'a{l="\\x"} 1'],
    ['a label without quotes', 'a{l=x} 1'],
    ['the same label twice', 'a{l="x",l="y"} 1'],
    ['no comma between labels', 'a{l="x"m="y"} 1'],
    ['a comma alone', 'a{,} 1'],
    ['a page of HTML', '<html>'],
    ['a line without end', `a{l="${'x'.repeat(70_000)}"} 1`],
  ])('refuses %s, and names the line only', (_, line) => {
    expect(() => parsePrometheusText(`up 1\n${line}\n`)).toThrow(
      /^it sends no metrics of Prometheus: see line 2$/,
    );
  });

  it('gives back what was written, whatever labels hold', () => {
    const labelName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,9}$/);
    const sample = fc.record({
      name: fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,9}$/),
      labels: fc
        .array(fc.tuple(labelName, fc.string({ unit: 'binary' })), { maxLength: 4 })
        .map((all) => new Map(all)),
      // The text has no -0.
      value: fc.double().map((value) => value + 0),
    });
    const escape = (text: string) =>
      text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
    const write = ({ name, labels, value }: { name: string; labels: Map<string, string>; value: number }) => {
      const pairs = [...labels].map(([label, text]) => `${label}="${escape(text)}"`);
      return `${name}{${pairs.join(',')}} ${value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : value}\n`;
    };
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 5 }), (samples) => {
        expect(parsePrometheusText(samples.map(write).join(''))).toEqual(samples);
      }),
    );
  });

  it('fails with its own error on any text that it does not read', () => {
    const line = fc.stringMatching(/^[a{}="\\,0-9+.e \t#\r]{0,30}$/);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
        try {
          parsePrometheusText(lines.join('\n'));
        } catch (error) {
          expect(String(error)).toMatch(/^Error: it sends no metrics of Prometheus: see line [1-4]$/);
        }
      }),
    );
  });
});
