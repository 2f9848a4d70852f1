import { availableParallelism, cpus, release, type } from 'node:os';
import type { Ratio, Speeds } from './measure.ts';

/** One comparison and what it should come to. */
export interface BenchRow {
  readonly name: string;
  readonly baselineName: string;
  readonly unit: string;
  readonly measured: Speeds;
  readonly baseline: Speeds;
  readonly ratio: Ratio;
  /** The least ratio that is good enough. */
  readonly target: number;
}

/** Machine of the measurement. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
  readonly date: string;
}

/** This machine, now. */
export function thisMachine(now: Date): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    system: `${type()} ${release()}`,
    node: process.version,
    date: now.toISOString(),
  };
}

/** Checks if the median ratio reaches the target. */
export function isMet({ ratio, target }: BenchRow): boolean {
  return ratio.median >= target;
}

/** The report for people: the machine, then a table, then what helps to read it. */
export function formatReport(
  machine: Machine,
  rows: readonly BenchRow[],
  remarks: readonly string[],
): string {
  const header = ['what', 'measured', 'baseline', 'against', 'ratio', '(min-max)', 'target', 'met'];
  const cells = rows.map((row) => [
    row.name,
    `${perSecond(row.measured.median)} ${row.unit}`,
    `${perSecond(row.baseline.median)} ${row.unit}`,
    row.baselineName,
    `${row.ratio.median.toFixed(2)}x`,
    `(${row.ratio.min.toFixed(2)}-${row.ratio.max.toFixed(2)})`,
    `>= ${row.target.toFixed(2)}x`,
    isMet(row) ? 'yes' : 'NO',
  ]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => (row[column] as string).length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd();
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}, ${machine.date}`,
    '',
    line(header),
    line(widths.map((width) => '-'.repeat(width))),
    ...cells.map(line),
    '',
    'Medians of interleaved rounds; the ratio is taken within each round.',
    ...remarks,
    '',
  ].join('\n');
}

function perSecond(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ' ');
}
