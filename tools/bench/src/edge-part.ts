import { randomBytes } from 'node:crypto';
import { meteredContestant, type MeteredContestant } from './load-contestant.ts';
import type { HttpTarget } from './load/http-connection.ts';
import type { HttpLoadOrder, HttpLoadReport } from './load/http-load-process.ts';
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
/** Path of the credentials that the load asks for. */
export const CREDENTIALS_PATH = '/v1/destinations/support/credentials';

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
    const edge = await startEdgeServer({ service: service.address, telemetryUrl: sink.url });
    stopLater(edge.child);
    const generator = stopLater(startSource(new URL('./load/http-load-process.ts', import.meta.url)));
    const load = { generator, roundMs: rounds.roundMs };

    const express = async (name: string) => {
      const file = new URL('./servers/express-process.ts', import.meta.url);
      const child = stopLater(startSource(file, [randomBytes(8).toString('hex')]));
      const { ready: port } = (await child.message()) as { ready: number };
      const target = { port, method: 'GET', path: '/callparameters', headers: {} } as const;
      return httpContestant({ name, processes: [child], target, ...load });
    };
    const [yardstick, again] = [await express('express'), await express('express again')];
    const headers = { cookie: await visitorCookie(edge.port) };
    const target = { port: edge.port, method: 'POST', path: CREDENTIALS_PATH, headers } as const;
    const measured = httpContestant({
      ...{ name: 'edge and service', processes: [edge.child, service.child], mainThreadOf: edge.child },
      ...{ target, ...load },
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

/** The cookie of a visitor. Looks at the answer closely, since the load counts statuses only. */
export async function visitorCookie(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}${CREDENTIALS_PATH}`, { method: 'POST' });
  const { credentials } = (await answer.json()) as { credentials?: { toToken?: string } };
  if (!credentials?.toToken) throw new Error(`the edge issues no tokens: ${answer.status}`);
  return answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

function httpContestant(plan: {
  readonly name: string;
  readonly processes: readonly BenchChild[];
  readonly mainThreadOf?: BenchChild;
  readonly target: HttpTarget;
  readonly generator: BenchChild;
  readonly roundMs: number;
}): MeteredContestant {
  const { name, target, generator, roundMs } = plan;
  return meteredContestant({
    ...plan,
    async run() {
      const shape = { connections: CONNECTIONS, durationMs: roundMs };
      generator.process.send({ target, shape } satisfies HttpLoadOrder);
      const report = (await generator.message()) as HttpLoadReport;
      if (!('result' in report)) throw new Error(`${name}: ${JSON.stringify(report)}`);
      const { ok, refused, perSecond } = report.result;
      if (refused > 0 || ok === 0) throw new Error(`${name}: ${refused} of ${ok + refused} were refused`);
      return { perSecond, units: ok };
    },
  });
}
