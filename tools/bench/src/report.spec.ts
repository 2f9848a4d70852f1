import { describe, expect, it } from '@jest/globals';
import { compare } from './comparison.ts';
import { latencyRow } from './latency/latency-row.ts';
import { latencyTable } from './latency/report.ts';
import type { OpenLoopResult } from './load/pace.ts';
import { asMarkdown, asText, barTable, comparisonTable, isMissed } from './report.ts';

const row = (mainThread: number) =>
  compare({
    ...{ name: 'calls', baselineName: 'echo', unit: 'calls' },
    targets: { mainThread: 1.75, throughput: 0.5, perSecond: 60_000 },
    measured: [{ perSecond: 4600.4, mainThreadUs: mainThread, allThreadsUs: NaN }],
    baseline: [{ perSecond: 9200.8, mainThreadUs: 1, allThreadsUs: NaN }],
    noise: { mainThread: 1.01, allThreads: 1.01, throughput: 1.01, p50: NaN },
  });

const paced = (p50: number, p99: number, p999: number, answered = 100): OpenLoopResult => ({
  ...{ due: 100, refused: { count: 0, p50: NaN, p99: NaN, p999: NaN, max: NaN }, others: {}, expired: 0 },
  ...{ accepted: { count: answered, p50, p99, p999, max: p999 }, generatorLagMs: 0, seconds: 1 },
});

describe('comparisonTable', () => {
  it('says of each row what was measured, against what, with which spread, and whether each target is met', () => {
    expect(comparisonTable([row(2.3)])[1]).toEqual([
      'calls, against echo',
      '4,600 / 9,201 calls',
      '2.30 (2.30 to 2.30)',
      '',
      '0.50 (0.50 to 0.50)',
      'CPU, main thread ≤ 1.75: not met; throughput ≥ 0.50: too noisy to say; rate ≥ 60,000: not met',
    ]);
  });
});

describe('latencyRow', () => {
  const plan = { name: 'server', percent: 25, ratePerSecond: 4000, bars: { p99AboveEcho: 4, p999: 25 } };
  it.each([
    ['met', paced(2, 6, 20), paced(1, 3, 4), ['met', 'met']],
    ['not met', paced(2, 29, 51), paced(1, 3, 4), ['not met', 'not met']],
    [
      'pauses of the machine, which the echo shows too',
      ...([paced(2, 29, 51), paced(1, 12, 37)] as const),
      ["the machine's own pauses exceed it", "the machine's own pauses exceed it"],
    ],
    // A pause of the machine is no excuse for nothing: what is met is met.
    ['met in spite of pauses', paced(2, 13, 20), paced(1, 12, 37), ['met', 'met']],
  ])('%s', (_, own, echo, verdicts) => {
    expect(latencyRow({ ...plan, own: [own], echo: [echo] }).bars.map(({ verdict }) => verdict)).toEqual(
      verdicts,
    );
  });

  it('shows calls that were not answered, so that a server that refuses is not a fast one', () => {
    const latency = latencyRow({ ...plan, own: [paced(1, 2, 3, 88)], echo: [paced(1, 2, 3)] });
    expect(latencyTable([latency])[1]).toEqual([
      ...[
        'server at 25 % of its capacity',
        '4,000',
        '1.0 (1.0 to 1.0)',
        '2.0 (2.0 to 2.0)',
        '3.0 (3.0 to 3.0)',
      ],
      '1.0, 2.0, 3.0',
      'p99 ≤ echo + 4 ms: met; p99.9 ≤ 25 ms: met; 12 calls were not answered with OK',
    ]);
  });
});

describe('isMissed', () => {
  it('is true for a target that is not met, and not for one that the run was too noisy for', () => {
    const noisy = { ...row(1), figures: row(1).figures.filter(({ measure }) => measure !== 'perSecond') };
    expect(isMissed({ rows: [noisy], latency: [], bars: [] })).toBe(false);
    expect(isMissed({ rows: [row(1)], latency: [], bars: [] })).toBe(true);
  });

  it('is true for a bar that is not met', () => {
    const bar = { text: 'replay ≤ 30 s', value: '31 s' } as const;
    const missed = (verdict: 'met' | 'not met') =>
      isMissed({ rows: [], latency: [], bars: [{ ...bar, verdict }] });
    expect([missed('met'), missed('not met')]).toEqual([false, true]);
    expect(barTable([{ ...bar, verdict: 'not met' }])[1]).toEqual(['replay ≤ 30 s', '31 s', 'not met']);
  });
});

describe('asText and asMarkdown', () => {
  const table = [
    ['what', 'ratio'],
    ['a long name', '1'],
  ];
  it('align the columns', () => {
    expect(asText(table)).toBe('what         ratio\n-----------  -----\na long name  1');
    expect(asMarkdown(table)).toBe(
      '| what        | ratio |\n| ----------- | ----- |\n| a long name | 1     |',
    );
  });
});
