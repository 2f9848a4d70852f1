import { readFileSync, writeFileSync } from 'node:fs';
import { PARTS } from './options.ts';
import { asMarkdown, comparisonTable } from './report.ts';
import { gather, type Results } from './results.ts';
import { latencyTable } from './latency/report.ts';

const START = '<!-- Written by `npm run bench -- --write-readme`. -->';
const END = '<!-- End of what the benchmark wrote. -->';

/** Writes the tables into a page, between its two markers. Throws an Error if it has none. */
export function writeReadme(file: string, results: Results): void {
  writeFileSync(file, withFigures(readFileSync(file, 'utf8'), results));
}

/** The page with the figures between its markers. */
export function withFigures(page: string, results: Results): string {
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`the page has no lines ${START} and ${END}`);
  return `${page.slice(0, start)}${START}\n\n${section(results)}\n\n${page.slice(end)}`;
}

function section({ machine, parts }: Results): string {
  const taken = PARTS.flatMap((part) => parts[part] ?? []);
  const { rows, latency: all } = gather(taken);
  const latency = all.filter(({ percent }) => percent !== undefined);
  const days = taken.map(({ date }) => date.slice(0, 10)).sort();
  const when = [...new Set([days.at(0), days.at(-1)])].join(' to ');
  return [
    `${machine.cores} cores of ${machine.cpu}, ${machine.system}, Node ${machine.node}, ${when}:`,
    asMarkdown(comparisonTable(rows)),
    ...(latency.length > 0 ? [asMarkdown(latencyTable(latency))] : []),
  ].join('\n\n');
}
