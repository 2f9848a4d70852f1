import { describe, expect, it } from '@jest/globals';
import { formatReport, isMet, type BenchRow } from './report.ts';

const MACHINE = {
  cpu: 'Test CPU',
  cores: 2,
  system: 'Linux 6',
  node: 'v24.0.0',
  date: '2026-01-02T03:04:05.000Z',
};

function row(ratio: number): BenchRow {
  return {
    name: 'calls',
    baselineName: 'echo',
    unit: 'calls/s',
    measured: { median: 4600.4, rounds: [4600.4] },
    baseline: { median: 1234567, rounds: [1234567] },
    ratio: { median: ratio, min: ratio - 0.1, max: ratio + 0.1 },
    target: 0.45,
  };
}

describe('formatReport', () => {
  it('names the machine and says of each row what was measured, against what, and whether it is enough', () => {
    const report = formatReport(MACHINE, [row(0.5)], ['a remark']);
    expect(report).toMatch(/Test CPU, 2 cores, Linux 6, Node v24.0.0, 2026-01-02/);
    expect(report).toMatch(
      /calls +4 600 calls\/s +1 234 567 calls\/s +echo +0\.50x +\(0\.40-0\.60\) +>= 0\.45x +yes/,
    );
    expect(report).toContain('a remark');
  });

  it('shows a missed target as missed', () => {
    expect(formatReport(MACHINE, [row(0.449)], [])).toMatch(/>= 0\.45x +NO/);
  });
});

describe('isMet', () => {
  it.each([
    [0.45, true],
    [0.449, false],
    [NaN, false],
  ])('a ratio of %d: %s', (ratio, met) => {
    expect(isMet(row(ratio))).toBe(met);
  });
});
