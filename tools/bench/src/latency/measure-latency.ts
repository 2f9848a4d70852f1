import { startLoadGenerator, startPacedGenerator } from '../load/generator.ts';
import { startHttpGenerator } from '../load/http-generator.ts';
import type { OpenLoopResult } from '../load/pace.ts';
import type { BenchOptions } from '../options.ts';
import { withProcesses, type PartFigures, type StopLater } from '../part.ts';
import { standsStill } from '../rounds.ts';
import { SHAPE } from '../server-part.ts';
import { startCallpassServer, type CallpassServer, type ServerOptions } from '../servers/callpass-server.ts';
import { startEchoServer } from '../servers/echo-server.ts';
import { startEdgeServer } from '../servers/edge-server.ts';
import { startPostgresStore } from '../servers/postgres-store.ts';
import { startTelemetrySink } from '../servers/telemetry-sink.ts';
import { median } from '../statistics.ts';
import { latencyRow, type LatencyBars } from './latency-row.ts';

/** Program whose latency is measured. */
interface Subject {
  readonly name: string;
  /** Calls per second with as many under way as it takes. */
  capacity(): Promise<number>;
  atRate(ratePerSecond: number): Promise<OpenLoopResult>;
}

type Start = (
  options: BenchOptions,
  stopLater: StopLater,
) => Promise<{ subject: Subject; server: CallpassServer }>;

/** Shares of the capacity, in percent, with the bars for the server on SQLite. */
const SHARES: readonly { percent: number; bars: LatencyBars }[] = [
  { percent: 10, bars: {} },
  { percent: 25, bars: { p99AboveEcho: 4, p999: 25 } },
  { percent: 50, bars: { p99AboveEcho: 10 } },
];

const PACED = { connections: 8, timeoutMs: 5000 };
/** A browser has one request at a time on a connection, so there are more of them. */
const BROWSERS = 64;
const CAPACITY_CONNECTIONS = 256;
const CAPACITY_RUN_IN_MS = 300;
/** Rounds of the capacity that count, after those that warm up. */
const CAPACITY_ROUNDS = 3;

/** Latency of the server on SQLite. */
export const measureLatency = latencyOf(startOnSqlite, SHARES);

/** Latency of the server on PostgreSQL, which waits for its disk. */
export const measureLatencyOnPostgres = latencyOf(startOnPostgres, withoutBars());

/** Latency of the edge, with the service and its record behind it. */
export const measureLatencyOfEdge = latencyOf(startEdge, withoutBars());

function withoutBars(): typeof SHARES {
  return SHARES.map(({ percent }) => ({ percent, bars: {} }));
}

/** Measures a program at shares of the capacity that it has in the same run, in turn with the echo at the same rate. */
function latencyOf(start: Start, shares: typeof SHARES) {
  return (options: BenchOptions, progress: (text: string) => void): Promise<PartFigures> =>
    withProcesses(async (stopLater) => {
      const { subject, server } = await start(options, stopLater);
      const { name } = subject;
      const echo = stopLater(await startEchoServer(server.single));
      const paced = stopLater(startPacedGenerator());
      const { measured, durationMs } = options.latency;
      const echoAt = (ratePerSecond: number) =>
        paced.run(echo.address, server.single, { ...PACED, ratePerSecond, durationMs });

      const capacity = await capacityOf(subject, options, progress);
      const rounds = shares.map(({ percent, bars }) => ({
        ...{ percent, bars, ratePerSecond: (capacity * percent) / 100 },
        ...{ own: [] as OpenLoopResult[], echo: [] as OpenLoopResult[] },
      }));
      await echoAt(capacity / 2);
      for (let round = 1; round <= measured; round++) {
        for (const { percent, ratePerSecond, own, echo } of rounds) {
          echo.push(await echoAt(ratePerSecond));
          own.push(await subject.atRate(ratePerSecond));
          const { p50, p99, p999 } = (own.at(-1) as OpenLoopResult).accepted;
          const figures = [p50, p99, p999].map((ms) => ms.toFixed(1)).join(', ');
          progress(
            `latency: ${name}: round ${round} of ${measured}: ${percent} %: p50, p99, p99.9 ${figures} ms`,
          );
        }
      }
      const lagMs = Math.max(...rounds.flatMap(({ own }) => own.map(({ generatorLagMs }) => generatorLagMs)));
      return {
        rows: [],
        latency: rounds.map((each) => latencyRow({ name, ...each })),
        remarks: [
          `${name}: capacity ${Math.round(capacity)}/s; the load generator stood still for ${lagMs.toFixed(1)} ms at most`,
        ],
      };
    });
}

/** Calls per second of a program with as many under way as it takes, once the rate stands still. */
export async function capacityOf(
  subject: Pick<Subject, 'name' | 'capacity'>,
  { servers: { warmUpAtMost } }: Pick<BenchOptions, 'servers'>,
  progress: (text: string) => void,
): Promise<number> {
  const rates: number[] = [];
  while (rates.length < warmUpAtMost && !standsStill(rates)) {
    rates.push(await subject.capacity());
    progress(`${subject.name}: capacity ${Math.round(rates.at(-1) ?? NaN)}/s`);
  }
  const rate = median(rates.slice(-CAPACITY_ROUNDS));
  if (!(rate > 0)) throw new Error(`${subject.name}: this machine is too busy to find its capacity`);
  return rate;
}

function startOnSqlite(options: BenchOptions, stopLater: StopLater) {
  return startServer('server on SQLite', {}, { options, stopLater });
}

async function startOnPostgres(options: BenchOptions, stopLater: StopLater) {
  const { storeUrl } = stopLater(await startPostgresStore());
  return startServer('server on PostgreSQL', { storeUrl }, { options, stopLater });
}

async function startServer(
  name: string,
  settings: ServerOptions,
  { options, stopLater }: { options: BenchOptions; stopLater: StopLater },
) {
  const sink = stopLater(await startTelemetrySink());
  const server = stopLater(await startCallpassServer(sink.url, settings));
  const { address, single } = server;
  const generator = stopLater(startLoadGenerator());
  const paced = stopLater(startPacedGenerator());
  const load = { ...SHAPE, runInMs: CAPACITY_RUN_IN_MS, durationMs: options.servers.roundMs };
  const { durationMs } = options.latency;
  const subject: Subject = {
    name,
    capacity: async () => (await generator.run(address, single, load)).perSecond,
    atRate: (ratePerSecond) => paced.run(address, single, { ...PACED, ratePerSecond, durationMs }),
  };
  return { server, subject };
}

async function startEdge(options: BenchOptions, stopLater: StopLater) {
  const sink = stopLater(await startTelemetrySink());
  const server = stopLater(await startCallpassServer(sink.url));
  const edge = stopLater(await startEdgeServer({ service: server.address, telemetryUrl: sink.url }));
  const generator = stopLater(startHttpGenerator());
  const load = { connections: CAPACITY_CONNECTIONS, durationMs: options.servers.roundMs };
  const { durationMs } = options.latency;
  const subject: Subject = {
    name: 'edge and service',
    capacity: async () => (await generator.run(edge.target, load)).perSecond,
    atRate: (ratePerSecond) =>
      generator.atRate(edge.target, { ...PACED, connections: BROWSERS, ratePerSecond, durationMs }),
  };
  return { server, subject };
}
