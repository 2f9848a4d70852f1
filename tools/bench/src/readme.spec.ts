import { describe, expect, it } from '@jest/globals';
import { format } from 'prettier';
import { compare } from './comparison.ts';
import { withFigures } from './readme.ts';
import { merge, type Results } from './results.ts';

const machine = { cpu: 'Test CPU', cores: 2, system: 'Linux 6', node: 'v24.0.0' };
const part = (name: string, date: string) => ({
  ...{ date: `${date}T01:02:03.000Z`, remarks: [] },
  rows: [
    compare({
      ...{ name, baselineName: 'echo', unit: 'calls', targets: { throughput: 0.4 } },
      measured: [{ perSecond: 5, mainThreadUs: 2, allThreadsUs: NaN }],
      baseline: [{ perSecond: 10, mainThreadUs: 1, allThreadsUs: NaN }],
      noise: { mainThread: 1, allThreads: 1, throughput: 1.1, p50: NaN },
    }),
  ],
});
const results: Results = {
  machine,
  parts: { edge: part('edge', '2026-01-03'), server: part('server', '2026-01-02') },
};
const PAGE = `# Title

<!-- Written by \`npm run bench -- --write-readme\`. -->

old

<!-- End of what the benchmark wrote. -->

the rest
`;

describe('withFigures', () => {
  it('writes between the markers, with machine and dates, in the order of the parts, as prettier has it', async () => {
    const page = withFigures(PAGE, results);
    expect(page).not.toContain('old');
    expect(page).toMatch(/^# Title\n/);
    expect(page).toMatch(/\nthe rest\n$/);
    expect(page).toContain('2 cores of Test CPU, Linux 6, Node v24.0.0, 2026-01-02 to 2026-01-03:');
    expect(page.indexOf('| server, against echo')).toBeLessThan(page.indexOf('| edge, against echo'));
    expect(await format(page, { parser: 'markdown', printWidth: 110 })).toBe(page);
    expect(withFigures(page, results)).toBe(page);
  });

  it('refuses a page without the markers, rather than to write nowhere', () => {
    expect(() => withFigures('# Title\n', results)).toThrow(/no lines/);
  });
});

describe('merge', () => {
  it('keeps the parts that did not run', () => {
    const now = { machine, parts: { edge: part('edge', '2026-02-01') } };
    const { parts } = merge(results, now);
    expect([parts.server?.date, parts.edge?.date].map((date) => date?.slice(0, 7))).toEqual([
      '2026-01',
      '2026-02',
    ]);
  });

  it('keeps nothing of another machine: its ratios are others', () => {
    const now = { machine: { ...machine, cores: 4 }, parts: { edge: part('edge', '2026-02-01') } };
    expect(merge(results, now)).toEqual(now);
  });
});
