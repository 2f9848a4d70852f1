import { whole, type Table } from '../report.ts';
import type { Estimate } from '../statistics.ts';
import type { LatencyRow } from './latency-row.ts';

/** Table of latencies: a line for each program and rate, with the echo's figures beside its own. */
export function latencyTable(rows: readonly LatencyRow[]): Table {
  return [
    ['latency, in ms', 'calls/s', 'p50', 'p99', 'p99.9', "the echo's p50, p99, p99.9", 'bars'],
    ...rows.map(({ name, percent, ratePerSecond, own, echo, missed, bars }) => [
      percent === undefined ? name : `${name} at ${percent} % of its capacity`,
      whole(ratePerSecond),
      ...[own.p50, own.p99, own.p999].map(spread),
      [echo.p50, echo.p99, echo.p999].map(({ median }) => median.toFixed(1)).join(', '),
      [
        ...bars.map(({ text, verdict }) => `${text}: ${verdict}`),
        ...(missed > 0 ? [`${whole(missed)} calls were not answered with OK`] : []),
      ].join('; '),
    ]),
  ];
}

function spread({ median, low, high }: Estimate): string {
  return `${median.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`;
}
