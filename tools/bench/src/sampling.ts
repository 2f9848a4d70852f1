import { loadContestant, type CpuUse } from './load-contestant.ts';
import { startLoadGenerator } from './load/generator.ts';
import { ratioOf, runInterleaved, type Rounds } from './measure.ts';
import type { BenchRow } from './report.ts';
import { SHAPE } from './servers.ts';
import { startCallpassServer } from './servers/callpass-server.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';

/** Recording every trace costs at most 35 % of the rate with one in a hundred. */
const TARGET = 0.65;

/** Result of this part. */
export interface SamplingFigures {
  readonly rows: readonly BenchRow[];
  readonly cpuUse: readonly CpuUse[];
}

/** The whole server with every trace recorded, against the same with one in a hundred. */
export async function measureSampling(
  options: { servers: Rounds & { roundMs: number } },
  progress: (text: string) => void,
): Promise<SamplingFigures> {
  const { servers: rounds } = options;
  const running = new AsyncDisposableStack();
  const stopLater = <T extends { stop(): Promise<void> }>(thing: T): T =>
    running.adopt(thing, (started) => started.stop());
  try {
    progress('sampling: starting');
    const generator = stopLater(startLoadGenerator());
    const sink = stopLater(await startTelemetrySink());
    const contestant = async (name: string, sampled: number) => {
      const server = stopLater(await startCallpassServer(sink.url, { sampled }));
      return loadContestant({
        ...{ name, server, call: server.single, unitsPerCall: 1, shape: SHAPE },
        ...{ generator, roundMs: rounds.roundMs },
      });
    };
    const contestants = [await contestant('1 % sampled', 0.01), await contestant('100 % sampled', 1)];
    const speeds = await runInterleaved(contestants, rounds, (round) => {
      const figures = contestants.map(({ name }, at) => `${name} ${Math.round(round.speeds[at] ?? 0)}/s`);
      progress(
        `sampling: round ${round.number} of ${round.of}${round.warmUp ? ' (warm-up)' : ''}: ${figures.join(', ')}`,
      );
    });
    const [some, all] = speeds as [(typeof speeds)[0], (typeof speeds)[0]];
    return {
      rows: [
        {
          ...{
            name: '100 % of traces sampled',
            baselineName: '1 % sampled',
            unit: 'calls/s',
            target: TARGET,
          },
          ...{ measured: all, baseline: some, ratio: ratioOf(all, some) },
        },
      ],
      cpuUse: contestants.map((each) => each.cpuUse(rounds.measured)),
    };
  } finally {
    await running.disposeAsync();
  }
}
