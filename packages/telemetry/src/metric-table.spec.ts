import { describe, expect, it } from '@jest/globals';
import { METRICS, type MetricRow } from './metric-table.ts';

const rows: readonly MetricRow[] = Object.values(METRICS);

describe('METRICS', () => {
  it('gives no two metrics one name', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  });

  it.each(rows.map((row) => [row.name, row] as const))(
    '%s is named and described as it should be',
    (_name, row) => {
      expect(row.name).toMatch(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/);
      expect(row.description).toMatch(/\.$/);
      expect(['', '1', 's', 'By'].includes(row.unit) || /^\{[a-z]+\}$/.test(row.unit)).toBe(true);
      expect(row.kind === 'histogram').toBe(row.boundaries !== undefined);
      expect(row.boundaries?.toSorted((a, b) => a - b)).toEqual(row.boundaries);
    },
  );

  it('has no label that could hold who calls, from where, or what they were given', () => {
    const labels = rows.flatMap((row) => row.labels);
    expect(
      labels.filter((label) => /subject|address|token|key|user|callee|caller|trace/.test(label)),
    ).toEqual([]);
  });
});
