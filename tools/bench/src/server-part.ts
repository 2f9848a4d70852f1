import { loadContestant } from './load-contestant.ts';
import { startLoadGenerator } from './load/generator.ts';
import { runPart, withProcesses, type PartFigures } from './part.ts';
import type { BenchOptions } from './options.ts';
import { startCallpassServer } from './servers/callpass-server.ts';
import { startEchoServer } from './servers/echo-server.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';

/**
 * Enough under way that the server can work on calls while others wait for their disk sync: with a fourth of it all calls
 * wait for the same commit, and what is measured is the disk. Just below what the server takes on a connection (128) and
 * has under way (512) by its defaults, so that nothing is shed.
 */
export const SHAPE = { connections: 4, concurrency: 120 };

/**
 * The whole server, and an empty handler behind all that stands before a handler, each against a bare echo: in one run, from
 * one load generator.
 */
export function measureServer(
  { servers: rounds }: Pick<BenchOptions, 'servers'>,
  progress: (text: string) => void,
): Promise<PartFigures> {
  return withProcesses(async (stopLater) => {
    progress('server: starting');
    const generator = stopLater(startLoadGenerator());
    const sink = stopLater(await startTelemetrySink());
    const server = stopLater(await startCallpassServer(sink.url));
    const empty = stopLater(await startCallpassServer(sink.url, { emptyHandler: true }));
    const call = server.single;
    const load = { call, unitsPerCall: 1, generator, shape: SHAPE, roundMs: rounds.roundMs };
    const [echo, again, kit, whole] = [
      loadContestant({ name: 'echo', server: stopLater(await startEchoServer(call)), ...load }),
      loadContestant({ name: 'echo again', server: stopLater(await startEchoServer(call)), ...load }),
      loadContestant({ name: 'empty handler', server: empty, ...load }),
      loadContestant({ name: 'server', server, ...load }),
    ];
    const against = { baselineName: 'bare grpc-js echo', unit: 'calls', baseline: echo };
    const figures = await runPart({
      ...{ name: 'server', yardstick: echo, again, rounds, progress },
      comparisons: [
        {
          ...{ name: '`IssueCredentials`, whole server', measured: whole, ...against },
          targets: { mainThread: 1.75, allThreads: 2.2, throughput: 0.5 },
        },
        {
          ...{ name: 'kit overhead: an empty handler behind all interceptors', measured: kit, ...against },
          targets: { mainThread: 1.35 },
        },
      ],
    });
    // Stopping it makes it send what it still holds.
    await server.stop();
    await sink.assertUsed();
    return figures;
  });
}
