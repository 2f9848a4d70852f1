import { type Part, type Tone, visible } from '../output.ts';

/** A line of the picture. */
export type Line = readonly Part[];

/** Lines shown of each list; the most important ones stand first. */
const MOST_ROWS = 6;

const GAP = '  ';
const NARROWEST_BAR = 8;
const NARROWEST_NAME = 12;

/** Column of a table. */
export interface Column<T> {
  readonly header: string;
  readonly text: (row: T) => string;
  readonly tone?: (row: T) => Tone | undefined;
  /** Numbers stand on the right. */
  readonly isNumber?: boolean;
  /** Left out where the picture has fewer columns. */
  readonly from?: number;
  /** Names are cut where the columns do not fit. */
  readonly isName?: boolean;
}

/** Width of a table, its rows and their bars. */
export interface TableOptions<T> {
  readonly width: number;
  /** Rows at most; those that are left out are counted below. */
  readonly most?: number;
  /** A bar behind the columns, as wide as there is room: 1 or more. */
  readonly bar?: (row: T, room: number) => Part[];
}

/** Lines of a table: a heading, and the first rows. */
export function table<T>(all: readonly Column<T>[], rows: readonly T[], options: TableOptions<T>): Line[] {
  const { width, most = MOST_ROWS, bar } = options;
  const shown = rows.slice(0, most);
  const columns = fitting(
    all.filter(({ from = 0 }) => width >= from),
    shown,
    width,
  );
  const cells = shown.map((row) => columns.map(({ text }) => visible(text(row))));
  const widths = widthsOf(columns, cells, width - (bar ? NARROWEST_BAR + GAP.length : 0));
  const used = widthOfAll(widths);
  const room = width - used - GAP.length;
  const cell = (text: string, index: number) => {
    const size = widths[index] ?? 0;
    const cut = text.length > size ? `${text.slice(0, Math.max(0, size - 1))}…` : text;
    const padded = columns[index]?.isNumber ? cut.padStart(size) : cut.padEnd(size);
    return index === 0 ? padded : `${GAP}${padded}`;
  };
  const header = columns.map(({ header: text }, index) => cell(text, index)).join('');
  const more = rows.length - shown.length;
  return [
    [{ text: header.trimEnd(), tone: 'title' }],
    ...shown.map((row, index) => [
      ...columns.map(({ tone }, column) => ({
        text: cell(cells[index]?.[column] ?? '', column),
        tone: tone?.(row),
      })),
      ...(bar && room > 0 ? [{ text: GAP }, ...bar(row, room)] : []),
    ]),
    ...(more > 0 ? [[{ text: `and ${more} more; --output json has them`, tone: 'quiet' as const }]] : []),
  ];
}

/** Columns that fit, with names as short as they may be. A number that is cut would be another one: the last ones are left out. */
function fitting<T>(columns: readonly Column<T>[], rows: readonly T[], width: number): readonly Column<T>[] {
  const narrowest = columns.map(({ header, text, isName }) => {
    const widest = Math.max(header.length, ...rows.map((row) => visible(text(row)).length));
    return isName ? Math.min(widest, NARROWEST_NAME) : widest;
  });
  const last = columns.findLastIndex(({ isNumber }) => isNumber);
  if (last < 0 || widthOfAll(narrowest) <= width) return columns;
  return fitting(columns.toSpliced(last, 1), rows, width);
}

const widthOfAll = (widths: readonly number[]) =>
  widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);

/** Widths by what stands in the columns; the longest names give way until all fit. */
function widthsOf(
  columns: readonly { header: string; isName?: boolean }[],
  cells: readonly (readonly string[])[],
  width: number,
): number[] {
  const widths = columns.map(({ header }, index) =>
    Math.max(header.length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  let excess = widthOfAll(widths) - width;
  while (excess > 0) {
    const names = columns.flatMap(({ isName }, index) => (isName ? [index] : []));
    const longest = names.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a), names[0] ?? 0);
    if ((widths[longest] ?? 0) <= NARROWEST_NAME) break;
    widths[longest] = (widths[longest] ?? 0) - 1;
    excess--;
  }
  return widths;
}

/** Lines of a text, which end between words; those after the first are indented. */
export function wrapped(
  text: string,
  { width, tone, indent = '' }: { width: number; tone: Tone; indent?: string },
): Line[] {
  const lines = [''];
  for (const word of visible(text).split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last === '') lines[lines.length - 1] = `${indent}${word}`;
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent || '  '}${word}`);
  }
  return lines.map((line) => [{ text: line, tone }]);
}
