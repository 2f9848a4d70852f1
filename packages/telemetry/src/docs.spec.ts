import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { METRICS, prometheusName, type MetricRow } from './metric-table.ts';
import * as names from './names.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/telemetry.md'), 'utf8');

/** The cells of every table row whose table begins with this heading. */
function table(heading: string): string[][] {
  const start = page.indexOf(`\n| ${heading} `);
  const [, , ...rows] = page.slice(start + 1, page.indexOf('\n\n', start + 1)).split('\n');
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

const constants = (prefix: string) =>
  Object.entries(names).flatMap(([name, value]) =>
    name.startsWith(prefix) && typeof value === 'string' ? [value] : [],
  );

it('docs/telemetry.md lists every metric as it is', () => {
  const rows: readonly MetricRow[] = Object.values(METRICS);
  expect(table('name')).toEqual(
    rows.map((row) => [
      ...[row.name, prometheusName(row), row.kind, row.unit, row.labels.join(', ')],
      row.description.slice(0, -1),
    ]),
  );
});

it.each([
  ['span', 'SPAN_'],
  ['event', 'EVENT_'],
])('docs/telemetry.md lists every %s that is made', (heading, prefix) => {
  expect(
    table(heading)
      .map(([name]) => name)
      .sort(),
  ).toEqual(constants(prefix).sort());
});

it('docs/telemetry.md lists every attribute that a span may carry', () => {
  expect(table('attribute').map(([name]) => name)).toEqual([...names.SPAN_ATTRIBUTES]);
});
