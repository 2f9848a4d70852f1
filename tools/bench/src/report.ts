import { availableParallelism, cpus, release, type } from 'node:os';
import { MEASURES, type BenchRow, type Figure } from './comparison.ts';
import type { LatencyRow } from './latency/latency-row.ts';
import type { Bar } from './part.ts';
import type { Estimate } from './statistics.ts';

/** Machine of a measurement. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
}

/** This machine. */
export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    system: `${type()} ${release()}`,
    node: process.version,
  };
}

/** Checks if a target is missed. What a run was too noisy for is not. */
export function isMissed({
  rows,
  latency,
  bars,
}: {
  rows: readonly BenchRow[];
  latency: readonly LatencyRow[];
  bars: readonly Bar[];
}): boolean {
  const verdicts = [
    ...rows.flatMap(({ figures }) => figures),
    ...latency.flatMap((row) => row.bars),
    ...bars,
  ];
  return verdicts.some(({ verdict }) => verdict === 'not met');
}

/** Table of bars. */
export function barTable(bars: readonly Bar[]): Table {
  return [['bar', 'measured', 'verdict'], ...bars.map(({ text, value, verdict }) => [text, value, verdict])];
}

/** Lines of cells, the first of them the titles of the columns. */
export type Table = readonly (readonly string[])[];

const RATIOS = ['mainThread', 'allThreads', 'throughput'] as const;

/** Table of comparisons: a line for each row, with its ratios, their spread and the verdict on each target. */
export function comparisonTable(rows: readonly BenchRow[]): Table {
  const titles = RATIOS.map((measure) => MEASURES[measure].title);
  return [
    ['measurement', 'rate per second', ...titles, 'targets'],
    ...rows.map((row) => [
      `${row.name}, against ${row.baselineName}`,
      `${whole(row.measured.perSecond)} / ${whole(row.baseline.perSecond)} ${row.unit}`,
      ...RATIOS.map((measure) => ratio(row.figures.find((figure) => figure.measure === measure)?.value)),
      row.figures.flatMap(targetText).join('; '),
    ]),
  ];
}

/** Target and verdict of a figure; none without a target. */
function targetText({ measure, value, target, verdict }: Figure): string[] {
  if (target === undefined || verdict === undefined) return [];
  if (measure === 'perSecond') return [`rate ≥ ${whole(target)}: ${verdict}`];
  const { title, good } = MEASURES[measure];
  // The columns have the others.
  const own = measure === 'p50' ? ` ${ratio(value)},` : '';
  return [`${title}${own} ${good === 'less' ? '≤' : '≥'} ${target.toFixed(2)}: ${verdict}`];
}

/** Table as text in columns. */
export function asText([header = [], ...lines]: Table): string {
  const widths = widthsOf([header, ...lines]);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [header, widths.map((width) => '-'.repeat(width)), ...lines].map(line).join('\n');
}

/** Table in Markdown, as prettier formats it. */
export function asMarkdown([header = [], ...lines]: Table): string {
  const widths = widthsOf([header, ...lines]);
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...lines.map(line)].join('\n');
}

function widthsOf(table: Table): number[] {
  return (table[0] ?? []).map((_, column) =>
    Math.max(3, ...table.map((cells) => (cells[column] ?? '').length)),
  );
}

function ratio(value: Estimate | undefined): string {
  if (value === undefined) return '';
  const { median, low, high } = value;
  if (![median, low, high].every(Number.isFinite)) return '';
  return `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** A whole number with commas; nothing for what was not measured. */
export function whole(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '';
}
