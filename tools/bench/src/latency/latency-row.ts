import type { OpenLoopResult } from '../load/pace.ts';
import { estimate, sum, type Estimate } from '../statistics.ts';

/** Latencies at one rate, in ms: medians of the rounds with their spread. */
export interface Percentiles {
  readonly p50: Estimate;
  readonly p99: Estimate;
  readonly p999: Estimate;
}

/** Verdict on a bar. The last one: the echo shows pauses of the machine that are as long as the bar. */
export type LatencyVerdict = 'met' | 'not met' | "the machine's own pauses exceed it";

/** Latency of a program at a share of its capacity, beside the echo at the same rate. */
export interface LatencyRow {
  readonly name: string;
  /** Share of the capacity, in percent, where the rate was chosen by it. */
  readonly percent?: number | undefined;
  readonly ratePerSecond: number;
  readonly own: Percentiles;
  readonly echo: Percentiles;
  /** Calls that were not answered with OK. */
  readonly missed: number;
  readonly bars: readonly { readonly text: string; readonly verdict: LatencyVerdict }[];
}

/** Bars for a row, in ms. */
export interface LatencyBars {
  /** Most that the p99 may be above that of the echo. */
  readonly p99AboveEcho?: number;
  readonly p999?: number;
}

/** Makes a row from the rounds of a program and of the echo, which took turns. */
export function latencyRow(plan: {
  readonly name: string;
  readonly percent?: number;
  readonly ratePerSecond: number;
  readonly own: readonly OpenLoopResult[];
  readonly echo: readonly OpenLoopResult[];
  readonly bars: LatencyBars;
}): LatencyRow {
  const { name, percent, ratePerSecond, own, echo, bars } = plan;
  const percentiles = { own: percentilesOf(own), echo: percentilesOf(echo) };
  const missed = sum(own.map(({ due, accepted }) => due - accepted.count));
  return { name, percent, ratePerSecond, ...percentiles, missed, bars: barsOf(bars, percentiles) };
}

function barsOf(
  { p99AboveEcho, p999 }: LatencyBars,
  { own, echo }: { own: Percentiles; echo: Percentiles },
): LatencyRow['bars'] {
  const judge = (value: number, { bar, pauses }: { bar: number; pauses: number }): LatencyVerdict => {
    if (value <= bar) return 'met';
    return pauses > bar ? "the machine's own pauses exceed it" : 'not met';
  };
  const above = own.p99.median - echo.p99.median;
  return [
    ...(p99AboveEcho === undefined
      ? []
      : [
          {
            text: `p99 ≤ echo + ${p99AboveEcho} ms`,
            verdict: judge(above, { bar: p99AboveEcho, pauses: echo.p99.median }),
          },
        ]),
    ...(p999 === undefined
      ? []
      : [
          {
            text: `p99.9 ≤ ${p999} ms`,
            verdict: judge(own.p999.median, { bar: p999, pauses: echo.p999.median }),
          },
        ]),
  ];
}

function percentilesOf(rounds: readonly OpenLoopResult[]): Percentiles {
  const of = (key: 'p50' | 'p99' | 'p999') => estimate(rounds.map(({ accepted }) => accepted[key]));
  return { p50: of('p50'), p99: of('p99'), p999: of('p999') };
}
