import { loadContestant, type CpuUse, type LoadContestant } from './load-contestant.ts';
import { startLoadGenerator } from './load/generator.ts';
import { ratioOf, runInterleaved } from './measure.ts';
import type { BenchOptions } from './options.ts';
import type { BenchRow } from './report.ts';
import { startCallpassServer } from './servers/callpass-server.ts';
import { startEchoServer } from './servers/echo-server.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';

/**
 * Enough under way that the server can work on calls while others wait for their disk sync: with a fourth of it all calls
 * wait for the same commit, and what is measured is the disk. Just below what the server takes on a connection (128) and
 * has under way (512) by its defaults, so that nothing is shed.
 */
export const SHAPE = { connections: 4, concurrency: 120 };
const BATCH_SIZE = 128;
/** Fewer calls under way, for each of them holds many: 1,024 credentials at a time. */
const BATCH_SHAPE = { connections: 4, concurrency: 2 };

/** Result of the parts that run servers. */
export interface ServerFigures {
  readonly rows: readonly BenchRow[];
  readonly cpuUse: readonly CpuUse[];
}

/**
 * The whole server against a bare echo, and batches against single requests: in one run, from one load generator. Every
 * process it starts has ended when it settles.
 */
export async function measureServers(
  { parts, servers: rounds }: BenchOptions,
  progress: (text: string) => void,
): Promise<ServerFigures> {
  const running = new AsyncDisposableStack();
  const stopLater = <T extends { stop(): Promise<void> }>(thing: T): T =>
    running.adopt(thing, (started) => started.stop());
  try {
    progress('servers: starting');
    const generator = stopLater(startLoadGenerator());
    const sink = stopLater(await startTelemetrySink());
    const server = stopLater(await startCallpassServer(sink.url));
    const load = { generator, roundMs: rounds.roundMs };

    const single = loadContestant({
      ...{ name: 'server', server, call: server.single, unitsPerCall: 1, shape: SHAPE },
      ...load,
    });
    const contestants: LoadContestant[] = [single];
    const pairs: (Pick<BenchRow, 'name' | 'baselineName' | 'unit' | 'target'> & {
      measured: LoadContestant;
      baseline: LoadContestant;
    })[] = [];
    if (parts.includes('server')) {
      const echo = loadContestant({
        ...{ name: 'echo', server: stopLater(await startEchoServer(server.single)), call: server.single },
        ...{ unitsPerCall: 1, shape: SHAPE },
        ...load,
      });
      contestants.unshift(echo);
      pairs.push({
        name: 'IssueCredentials, whole server',
        baselineName: 'bare grpc-js echo',
        unit: 'calls/s',
        target: 0.45,
        measured: single,
        baseline: echo,
      });
    }
    if (parts.includes('batch')) {
      const batch = loadContestant({
        ...{ name: 'batch', server, call: await server.batch(BATCH_SIZE) },
        ...{ unitsPerCall: BATCH_SIZE, shape: BATCH_SHAPE },
        ...load,
      });
      contestants.push(batch);
      pairs.push({
        name: `BatchIssueCredentials of ${BATCH_SIZE}`,
        baselineName: 'IssueCredentials',
        unit: 'credentials/s',
        target: 3,
        measured: batch,
        baseline: single,
      });
    }

    const speeds = await runInterleaved(contestants, rounds, (round) => {
      const figures = contestants.map(
        ({ name }, at) => `${name} ${Math.round(round.speeds[at] as number)}/s`,
      );
      const warmUp = round.warmUp ? ' (warm-up)' : '';
      progress(`servers: round ${round.number} of ${round.of}${warmUp}: ${figures.join(', ')}`);
    });
    // Stopping it makes it send what it still holds.
    await server.stop();
    await sink.assertUsed();

    const speedsOf = (contestant: LoadContestant) =>
      speeds[contestants.indexOf(contestant)] as (typeof speeds)[0];
    return {
      rows: pairs.map(({ measured, baseline, ...row }) => {
        const pair = { measured: speedsOf(measured), baseline: speedsOf(baseline) };
        return { ...row, ...pair, ratio: ratioOf(pair.measured, pair.baseline) };
      }),
      cpuUse: contestants.map((contestant) => contestant.cpuUse(rounds.measured)),
    };
  } finally {
    await running.disposeAsync();
  }
}
