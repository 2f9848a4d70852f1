import { Readable } from 'node:stream';
import { expect, it } from '@jest/globals';
import { openScreen } from './screen.ts';

/** The text that a terminal of this height gets for so many lines. */
function shown(rows: number, lineCount: number): string {
  let text = '';
  const screen = openScreen({
    stdin: Readable.from([]),
    stdout: { isTTY: true, rows, columns: 80, write: (more: string) => (text += more) },
    stderr: { write: () => undefined },
    noColor: true,
    untilInterrupted: () => new AbortController().signal,
  });
  text = '';
  screen.show(Array.from({ length: lineCount }, (_, index) => [{ text: `line ${index + 1}` }]));
  return text;
}

it('shows what fits, erases what stood there before, and never scrolls', () => {
  expect(shown(4, 3)).toBe('\u001b[Hline 1\u001b[K\nline 2\u001b[K\nline 3\u001b[K\n\u001b[J');
});

it('says how many lines do not fit', () => {
  expect(shown(4, 5)).toBe(
    '\u001b[Hline 1\u001b[K\nline 2\u001b[K\nand 3 more lines: make the terminal higher\u001b[K\n\u001b[J',
  );
});
