import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { Failure } from './failure.ts';
import { createOutput, type Output, type OutputFormat, visible } from './output.ts';

const untilInterrupted = () => new AbortController().signal;
const ESCAPE = '\u001b';

function recorded(
  format: OutputFormat,
  { isTTY = false, noColor = false } = {},
): { output: Output; written: { stdout: string; stderr: string } } {
  const written = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof written) => ({ isTTY, write: (text: string) => (written[name] += text) });
  const terminal = {
    stdin: Readable.from([]),
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    noColor,
    untilInterrupted,
  };
  return { output: createOutput(terminal, format), written };
}

describe('output', () => {
  it('writes tables with header and colour on a terminal', () => {
    const { output, written } = recorded('text', { isTTY: true });
    output.answer({}, (print) => {
      print.table(
        ['A', 'LONG'],
        [
          ['first', 1],
          ['x', undefined],
        ],
      );
    });
    expect(written.stdout).toContain(`${ESCAPE}[1mA      LONG${ESCAPE}[22m`);
    expect(written.stdout).toContain('first  1\nx\n');
  });

  it('writes no colour where NO_COLOR is set', () => {
    const { output, written } = recorded('text', { isTTY: true, noColor: true });
    output.answer({}, (print) => {
      print.line('VALID', 'good');
      print.table(['A'], [['1']]);
    });
    expect(written.stdout).toBe('VALID\nA\n1\n');
  });

  it('writes plain rows parted by tabs into a pipe', () => {
    const { output, written } = recorded('text');
    output.answer({}, (print) => {
      print.table(['A', 'B'], [['1', '2']]);
      print.line('done', 'good');
    });
    expect(written.stdout).toBe('1\t2\ndone\n');
  });

  it.each(['\u0007', '\u001b[2J', '\u009b31m', '\r', '\u202e', '\u2028'])(
    'never lets %j through to a terminal, neither as text nor in JSON',
    (evil) => {
      const text = recorded('text', { isTTY: true, noColor: true });
      text.output.answer({}, (print) => {
        print.line(evil);
        print.fields({ [evil]: evil });
        print.table(['H'], [[`${evil}`]]);
        print.raw(`a: ${evil}\nb`);
      });
      text.output.note(evil);
      text.output.failure(new Failure(1, { message: evil, reason: evil, metadata: { [evil]: evil } }));
      const json = recorded('json', { isTTY: true });
      json.output.answer({ value: evil }, () => undefined);
      for (const written of Object.values({ ...text.written, json: json.written.stdout })) {
        expect(written.replaceAll('\n', '')).toBe(visible(written.replaceAll('\n', '')));
      }
      expect(JSON.parse(json.written.stdout)).toEqual({ value: evil });
    },
  );

  it('leaves a document that goes into a file as it is', () => {
    const { output, written } = recorded('text');
    output.answer({}, (print) => {
      print.raw('name: "\u0085"\n');
    });
    expect(written.stdout).toBe('name: "\u0085"\n');
  });
});
