import { loadContestant } from './load-contestant.ts';
import { startLoadGenerator } from './load/generator.ts';
import type { BenchOptions } from './options.ts';
import { runPart, withProcesses, type PartFigures } from './part.ts';
import { SHAPE } from './server-part.ts';
import { startCallpassServer } from './servers/callpass-server.ts';
import { startEchoServer } from './servers/echo-server.ts';
import { makeSecureSetup } from './servers/secure-setup.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';

/**
 * The server as it is run in earnest (client certificates, a granted client, three limits on each call, the ledger on)
 * against a bare echo over the same TLS.
 */
export function measureSecure(
  { servers: rounds }: Pick<BenchOptions, 'servers'>,
  progress: (text: string) => void,
): Promise<PartFigures> {
  return withProcesses(async (stopLater) => {
    progress('secure: starting');
    const setup = stopLater(await makeSecureSetup());
    const generator = stopLater(startLoadGenerator());
    const sink = stopLater(await startTelemetrySink());
    const server = stopLater(await startCallpassServer(sink.url, { secure: setup }));
    const call = server.single;
    const load = { call, unitsPerCall: 1, generator, shape: SHAPE, roundMs: rounds.roundMs };
    const echo = async (name: string) =>
      loadContestant({ name, server: stopLater(await startEchoServer(call, setup.files)), ...load });
    const [yardstick, again] = [await echo('echo over TLS'), await echo('echo over TLS again')];
    const measured = loadContestant({ name: 'server with mTLS and limits', server, ...load });
    const figures = await runPart({
      ...{ name: 'secure', yardstick, again, rounds, progress },
      comparisons: [
        {
          ...{ name: '`IssueCredentials` with mTLS, grants and three limits' },
          ...{ baselineName: 'bare grpc-js echo over TLS', unit: 'calls', measured, baseline: yardstick },
          targets: { mainThread: 1 / 0.48, throughput: 0.48 },
        },
      ],
    });
    await server.stop();
    await sink.assertUsed();
    return figures;
  });
}
