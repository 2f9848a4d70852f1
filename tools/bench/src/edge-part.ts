import { randomBytes } from 'node:crypto';
import { meteredContestant, type MeteredContestant } from './load-contestant.ts';
import type { HttpTarget } from './load/http-connection.ts';
import { startHttpGenerator, type HttpGenerator } from './load/http-generator.ts';
import type { BenchOptions } from './options.ts';
import { runPart, withProcesses, type PartFigures } from './part.ts';
import { startCallpassServer } from './servers/callpass-server.ts';
import { startSource, type BenchChild } from './servers/child-process.ts';
import { startEdgeServer } from './servers/edge-server.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';

/**
 * Browsers, each with one request at a time: enough that edge and service can work while others wait for their disk sync. With a
 * fourth of it all wait for the same commit, and what is measured is the disk.
 */
const CONNECTIONS = 256;

/**
 * Credentials over HTTP, through the edge and the service with its record, against an Express server that makes three tokens
 * in its own process. The same generator asks both. Express has a core for itself; edge and service share what the machine has.
 */
export function measureEdge(
  { servers: rounds }: Pick<BenchOptions, 'servers'>,
  progress: (text: string) => void,
): Promise<PartFigures> {
  return withProcesses(async (stopLater) => {
    progress('edge: starting');
    const sink = stopLater(await startTelemetrySink());
    const service = stopLater(await startCallpassServer(sink.url));
    const edge = stopLater(await startEdgeServer({ service: service.address, telemetryUrl: sink.url }));
    const generator = stopLater(startHttpGenerator());
    const load = { generator, roundMs: rounds.roundMs };

    const express = async (name: string) => {
      const file = new URL('./servers/express-process.ts', import.meta.url);
      const child = stopLater(startSource(file, [randomBytes(8).toString('hex')]));
      const port = await child.ready<number>();
      const target = { port, method: 'GET', path: '/callparameters', headers: {} } as const;
      return httpContestant({ name, processes: [child], target, ...load });
    };
    const [yardstick, again] = [await express('express'), await express('express again')];
    const measured = httpContestant({
      ...{ name: 'edge and service', processes: [edge.child, service.child], mainThreadOf: edge.child },
      ...{ target: edge.target, ...load },
    });
    return runPart({
      ...{ name: 'edge', yardstick, again, rounds, progress },
      comparisons: [
        {
          name: 'credentials over HTTP, edge and service (main thread: of the edge)',
          ...{ baselineName: 'Express, three tokens', unit: 'credentials', measured, baseline: yardstick },
          targets: { mainThread: 1.3, throughput: 0.65 },
        },
      ],
    });
  });
}

function httpContestant(plan: {
  readonly name: string;
  readonly processes: readonly BenchChild[];
  readonly mainThreadOf?: BenchChild;
  readonly target: HttpTarget;
  readonly generator: HttpGenerator;
  readonly roundMs: number;
}): MeteredContestant {
  const { target, generator, roundMs } = plan;
  return meteredContestant({
    ...plan,
    async run() {
      const shape = { connections: CONNECTIONS, durationMs: roundMs };
      const { ok, refused, perSecond } = await generator.run(target, shape);
      if (refused > 0 || ok === 0) throw new Error(`${refused} of ${ok + refused} were refused`);
      return { perSecond, units: ok };
    },
  });
}
