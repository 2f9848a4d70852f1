import { availableParallelism } from 'node:os';
import { meteredContestant, type MeteredContestant } from './load-contestant.ts';
import { assertAnswered, startLoadGenerator, type LoadGenerator } from './load/generator.ts';
import type { BenchOptions } from './options.ts';
import { runPart, withProcesses, type PartFigures } from './part.ts';
import { startCallpassServer, type CallpassServer } from './servers/callpass-server.ts';
import { pin } from './servers/child-process.ts';
import { startPostgresStore } from './servers/postgres-store.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';
import { sum } from './statistics.ts';

/** For all instances together: what one of them takes by its defaults, so that nothing is shed. */
const CONNECTIONS = 4;
const CONCURRENCY = 100;
const RUN_IN_MS = 500;

/** One instance and two of them on one PostgreSQL, each pinned to a core of its own. */
export function measureInstances(
  { servers: rounds }: Pick<BenchOptions, 'servers'>,
  progress: (text: string) => void,
): Promise<PartFigures> {
  return withProcesses(async (stopLater) => {
    progress('instances: starting');
    const { storeUrl } = stopLater(await startPostgresStore());
    const sink = stopLater(await startTelemetrySink());
    const first = stopLater(await startCallpassServer(sink.url, { storeUrl }));
    const second = stopLater(await startCallpassServer(sink.url, { storeUrl, joins: first }));
    try {
      [first, second].forEach(({ child }, core) => pin(child, core));
    } catch {
      return {
        rows: [],
        remarks: ['instances: left out, this system cannot pin a process to a core (taskset)'],
      };
    }
    const generators = [stopLater(startLoadGenerator()), stopLater(startLoadGenerator())];
    const contestant = (name: string, servers: readonly CallpassServer[]) =>
      instancesContestant({ name, servers, generators, roundMs: rounds.roundMs });
    const one = contestant('one instance', [first]);
    const two = contestant('two instances', [first, second]);
    const figures = await runPart({
      ...{ name: 'instances', yardstick: one, again: contestant('one instance again', [second]) },
      ...{ rounds, progress },
      comparisons: [
        {
          ...{ name: 'two instances on one PostgreSQL, pinned to cores', baselineName: 'one', unit: 'calls' },
          ...{ measured: two, baseline: one, targets: {} },
        },
      ],
    });
    const cores = `instances: ${availableParallelism()} cores; database and load generator run on the same ones`;
    return { ...figures, remarks: [...figures.remarks, cores] };
  });
}

function instancesContestant(plan: {
  readonly name: string;
  readonly servers: readonly CallpassServer[];
  /** One for each instance at least. */
  readonly generators: readonly LoadGenerator[];
  readonly roundMs: number;
}): MeteredContestant {
  const { name, servers, generators, roundMs } = plan;
  const load = { concurrency: CONCURRENCY, runInMs: RUN_IN_MS, durationMs: roundMs };
  return meteredContestant({
    ...{ name, processes: servers.map(({ child }) => child) },
    generator: { cpuSeconds: () => sum(generators.map((generator) => generator.cpuSeconds())) },
    async run() {
      const results = await Promise.all(
        servers.map(async ({ address, single }, at) => {
          const generator = generators[at] as LoadGenerator;
          const shape = { ...load, connections: CONNECTIONS / servers.length };
          const result = await generator.run(address, single, shape);
          assertAnswered(result, single);
          return result;
        }),
      );
      return {
        perSecond: sum(results.map(({ perSecond }) => perSecond)),
        units: sum(results.map(({ ok }) => ok)),
      };
    },
  });
}
