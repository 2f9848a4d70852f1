import { randomBytes } from 'node:crypto';
import type { CpuUse } from './load-contestant.ts';
import type { HttpTarget } from './load/http-load.ts';
import type { HttpLoadOrder, HttpLoadReport } from './load/http-load-process.ts';
import { ratioOf, runInterleaved, type Contestant } from './measure.ts';
import type { BenchOptions } from './options.ts';
import type { BenchRow } from './report.ts';
import { startCallpassServer } from './servers/callpass-server.ts';
import { startSource, type BenchChild } from './servers/child-process.ts';
import { startEdgeServer } from './servers/edge-server.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';

/**
 * Browsers, each with one request at a time: enough that edge and service can work while others wait for their disk sync. With a
 * fourth of it all wait for the same commit, and what is measured is the disk.
 */
const CONNECTIONS = 256;
const CREDENTIALS_PATH = '/v1/destinations/support/credentials';

/** Result of the part `edge`. */
export interface EdgeFigures {
  readonly rows: readonly BenchRow[];
  readonly cpuUse: readonly CpuUse[];
}

/**
 * Credentials over HTTP, through the edge and the service with its record, against an Express server that makes three tokens
 * in its own process. The same generator asks both. Express has a core for itself; edge and service share what the machine has.
 */
export async function measureEdge(
  { servers: rounds }: BenchOptions,
  progress: (text: string) => void,
): Promise<EdgeFigures> {
  const running = new AsyncDisposableStack();
  const stopLater = <T extends { stop(): Promise<void> }>(thing: T): T =>
    running.adopt(thing, (started) => started.stop());
  try {
    progress('edge: starting');
    const sink = stopLater(await startTelemetrySink());
    const service = stopLater(await startCallpassServer(sink.url));
    const edge = await startEdgeServer({ service: service.address, telemetryUrl: sink.url });
    stopLater(edge.child);
    const express = stopLater(
      startSource(new URL('./servers/express-process.ts', import.meta.url), [randomBytes(8).toString('hex')]),
    );
    const { ready: expressPort } = (await express.message()) as { ready: number };
    const generator = stopLater(startSource(new URL('./load/http-load-process.ts', import.meta.url)));

    const visitor = await visitorCookie(edge.port);
    const load = { generator, roundMs: rounds.roundMs };
    const baseline = httpContestant({
      ...{ name: 'express', processes: [express] },
      target: { port: expressPort, method: 'GET', path: '/callparameters', headers: {} },
      ...load,
    });
    const measured = httpContestant({
      ...{ name: 'edge and service', processes: [edge.child, service.child] },
      target: { port: edge.port, method: 'POST', path: CREDENTIALS_PATH, headers: { cookie: visitor } },
      ...load,
    });
    const [baselineSpeeds, measuredSpeeds] = await runInterleaved([baseline, measured], rounds, (round) => {
      const [expressSpeed = 0, edgeSpeed = 0] = round.speeds.map(Math.round);
      const warmUp = round.warmUp ? ' (warm-up)' : '';
      progress(
        `edge: round ${round.number} of ${round.of}${warmUp}: express ${expressSpeed}/s, edge ${edgeSpeed}/s`,
      );
    });
    if (!baselineSpeeds || !measuredSpeeds) throw new Error('a contestant has no speeds');
    const row = {
      name: 'credentials over HTTP, edge and service',
      baselineName: 'Express, three tokens',
      unit: 'credentials/s',
      measured: measuredSpeeds,
      baseline: baselineSpeeds,
      ratio: ratioOf(measuredSpeeds, baselineSpeeds),
      target: 0.6,
    };
    return { rows: [row], cpuUse: [baseline, measured].map((each) => each.cpuUse(rounds.measured)) };
  } finally {
    await running.disposeAsync();
  }
}

/** Looks at one answer closely, since the load counts statuses only. */
async function visitorCookie(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}${CREDENTIALS_PATH}`, { method: 'POST' });
  const { credentials } = (await answer.json()) as { credentials?: { toToken?: string } };
  if (!credentials?.toToken) throw new Error(`the edge issues no tokens: ${answer.status}`);
  return answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

interface HttpContestant extends Contestant {
  cpuUse(rounds: number): CpuUse;
}

function httpContestant(plan: {
  readonly name: string;
  readonly processes: readonly BenchChild[];
  readonly target: HttpTarget;
  readonly generator: BenchChild;
  readonly roundMs: number;
}): HttpContestant {
  const { name, processes, target, generator, roundMs } = plan;
  const used: { server: number; main: number; generator: number; seconds: number; units: number }[] = [];
  const now = () => ({
    server: processes.reduce((sum, child) => sum + child.cpuSeconds(), 0),
    main: processes.reduce((sum, child) => sum + child.mainThreadCpuSeconds(), 0),
    generator: generator.cpuSeconds(),
    seconds: performance.now() / 1000,
  });
  return {
    name,
    async runRound() {
      const before = now();
      const shape = { connections: CONNECTIONS, durationMs: roundMs };
      generator.process.send({ target, shape } satisfies HttpLoadOrder);
      const report = (await generator.message()) as HttpLoadReport;
      if ('error' in report) throw new Error(`${name}: ${report.error}`);
      const { ok, refused, perSecond } = report.result;
      if (refused > 0 || ok === 0) throw new Error(`${name}: ${refused} of ${ok + refused} were refused`);
      const after = now();
      used.push({
        server: after.server - before.server,
        main: after.main - before.main,
        generator: after.generator - before.generator,
        seconds: after.seconds - before.seconds,
        units: ok,
      });
      return perSecond;
    },
    cpuUse(rounds) {
      const sum = (key: keyof (typeof used)[number]) =>
        used.slice(-rounds).reduce((total, round) => total + round[key], 0);
      return {
        name,
        serverCores: sum('server') / sum('seconds'),
        generatorCores: sum('generator') / sum('seconds'),
        microsecondsEach: (1e6 * sum('server')) / sum('units'),
        mainThreadMicrosecondsEach: (1e6 * sum('main')) / sum('units'),
      };
    },
  };
}
