import { loadContestant } from './load-contestant.ts';
import { startLoadGenerator } from './load/generator.ts';
import type { BenchOptions } from './options.ts';
import { runPart, withProcesses, type PartFigures } from './part.ts';
import { SHAPE } from './server-part.ts';
import { startCallpassServer } from './servers/callpass-server.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';

/** The whole server with every trace recorded, against the same with one in a hundred. */
export function measureSampling(
  { servers: rounds }: Pick<BenchOptions, 'servers'>,
  progress: (text: string) => void,
): Promise<PartFigures> {
  return withProcesses(async (stopLater) => {
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
    const some = await contestant('1 % sampled', 0.01);
    const again = await contestant('1 % sampled again', 0.01);
    const all = await contestant('100 % sampled', 1);
    return runPart({
      ...{ name: 'sampling', yardstick: some, again, rounds, progress },
      comparisons: [
        {
          ...{ name: '`IssueCredentials`, every trace recorded', baselineName: 'one trace in a hundred' },
          ...{ unit: 'calls', measured: all, baseline: some },
          targets: { mainThread: 1 / 0.7, throughput: 0.7 },
        },
      ],
    });
  });
}
