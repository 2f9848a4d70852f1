import { loadContestant } from './load-contestant.ts';
import { startLoadGenerator } from './load/generator.ts';
import type { BenchOptions } from './options.ts';
import { runPart, withProcesses, type PartFigures } from './part.ts';
import { SHAPE } from './server-part.ts';
import { startCallpassServer } from './servers/callpass-server.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';

const BATCH_SIZE = 128;
/** Fewer calls under way, for each of them holds many: 1,024 credentials at a time. */
const BATCH_SHAPE = { connections: 4, concurrency: 2 };

/** Batches against single requests, on one server. */
export function measureBatch(
  { servers: rounds }: Pick<BenchOptions, 'servers'>,
  progress: (text: string) => void,
): Promise<PartFigures> {
  return withProcesses(async (stopLater) => {
    progress('batch: starting');
    const generator = stopLater(startLoadGenerator());
    const sink = stopLater(await startTelemetrySink());
    const server = stopLater(await startCallpassServer(sink.url));
    const second = stopLater(await startCallpassServer(sink.url));
    const load = { generator, roundMs: rounds.roundMs };
    const single = { call: server.single, unitsPerCall: 1, shape: SHAPE, ...load };
    const [yardstick, again] = [
      loadContestant({ name: 'single requests', server, ...single }),
      loadContestant({ name: 'single requests again', server: second, ...single }),
    ];
    const batch = loadContestant({
      ...{ name: `batches of ${BATCH_SIZE}`, server, call: await server.batch(BATCH_SIZE) },
      ...{ unitsPerCall: BATCH_SIZE, shape: BATCH_SHAPE },
      ...load,
    });
    const validation = loadContestant({
      ...{ name: 'single validations', server, call: await server.validation() },
      ...{ unitsPerCall: 1, shape: SHAPE },
      ...load,
    });
    const validations = loadContestant({
      ...{ name: `batches of ${BATCH_SIZE} validations`, server, call: await server.validation(BATCH_SIZE) },
      ...{ unitsPerCall: BATCH_SIZE, shape: BATCH_SHAPE },
      ...load,
    });
    return runPart({
      ...{ name: 'batch', yardstick, again, rounds, progress },
      comparisons: [
        {
          ...{ name: `\`BatchIssueCredentials\` of ${BATCH_SIZE}`, baselineName: 'single requests' },
          ...{ unit: 'credentials', measured: batch, baseline: yardstick },
          targets: { throughput: 3, perSecond: 60_000 },
        },
        {
          ...{ name: `\`BatchValidateTokens\` of ${BATCH_SIZE}`, baselineName: 'single validations' },
          ...{ unit: 'tokens', measured: validations, baseline: validation, targets: {} },
        },
      ],
    });
  });
}
