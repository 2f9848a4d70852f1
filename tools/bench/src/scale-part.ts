import { nodeOptionsOf } from '@callpass/testkit/programs';
import { loadContestant, type MeteredContestant } from './load-contestant.ts';
import { startLoadGenerator, type LoadGenerator } from './load/generator.ts';
import type { BenchOptions } from './options.ts';
import { runPart, withProcesses, type PartFigures } from './part.ts';
import { whole } from './report.ts';
import { startCallpassServer, type CallpassServer } from './servers/callpass-server.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';

const SHAPE = { connections: 4, concurrency: 20 };
const FILL_SHAPE = { connections: 2, concurrency: 2, runInMs: 0, durationMs: 2000 };
const FILL_BATCH = 256;
/** The memory that 100,000 destinations need is more than that of the image: docs/operations/capacity.md. */
const NODE_OPTIONS = [...nodeOptionsOf('server'), '--max-old-space-size=1024'];
/** Tolerance for the cost of one issue at all sizes: 10 %. */
const TARGETS = { mainThread: 1.1, throughput: 0.9 };

/** The cost of one issue with few and with many destinations, and with an empty and a long ledger. */
export function measureScale(
  { scale, servers: rounds }: Pick<BenchOptions, 'scale' | 'servers'>,
  progress: (text: string) => void,
): Promise<PartFigures> {
  return withProcesses(async (stopLater) => {
    const generator = stopLater(startLoadGenerator());
    const sink = stopLater(await startTelemetrySink());
    progress(`scale: starting with ${scale.fewDestinations} and ${scale.manyDestinations} destinations`);
    const serverOf = async (destinations: number) =>
      stopLater(await startCallpassServer(sink.url, { destinations, nodeOptions: NODE_OPTIONS }));
    const long = await serverOf(scale.fewDestinations);
    const memory = await fill(long, { entries: scale.entries, generator, progress });

    const contestant = (name: string, server: CallpassServer): MeteredContestant =>
      loadContestant({
        ...{ name, server, call: server.single, unitsPerCall: 1, shape: SHAPE },
        ...{ generator, roundMs: rounds.roundMs },
      });
    const few = contestant('few', await serverOf(scale.fewDestinations));
    const again = contestant('few again', await serverOf(scale.fewDestinations));
    const many = contestant('many', await serverOf(scale.manyDestinations));
    const against = { unit: 'calls', baseline: few, targets: TARGETS };
    const figures = await runPart({
      ...{ name: 'scale', yardstick: few, again, rounds, progress },
      comparisons: [
        {
          name: `\`IssueCredentials\` with ${whole(scale.manyDestinations)} destinations`,
          ...{ baselineName: `${whole(scale.fewDestinations)} destinations`, measured: many, ...against },
        },
        {
          name: `\`IssueCredentials\` with a ledger of ${whole(scale.entries)} entries`,
          ...{ baselineName: 'an empty ledger', measured: contestant('long', long), ...against },
        },
      ],
    });
    return { ...figures, remarks: [...memory, ...figures.remarks] };
  });
}

/** Issues until the ledger is that long, and tells how the memory of the server went along. */
async function fill(
  server: CallpassServer,
  {
    entries,
    generator,
    progress,
  }: { entries: number; generator: LoadGenerator; progress: (text: string) => void },
): Promise<string[]> {
  const batch = await server.batch(FILL_BATCH);
  const remarks: string[] = [];
  const step = entries / 4;
  let issued = 0;
  let next = step;
  while (issued < entries) {
    const { ok } = await generator.run(server.address, batch, FILL_SHAPE);
    issued += ok * FILL_BATCH;
    progress(`scale: ledger of ${whole(issued)} entries`);
    if (issued < next) continue;
    remarks.push(
      `memory of the server after ${whole(issued)} issues: ${Math.round(server.child.residentMegabytes())} MB`,
    );
    while (next <= issued) next += step;
  }
  return remarks;
}
