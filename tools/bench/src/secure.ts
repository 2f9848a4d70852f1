import { loadContestant } from './load-contestant.ts';
import { startLoadGenerator } from './load/generator.ts';
import { ratioOf, runInterleaved, type Speeds } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { SHAPE, type ServerFigures } from './servers.ts';
import { startCallpassServer } from './servers/callpass-server.ts';
import { startEchoServer } from './servers/echo-server.ts';
import { makeSecureSetup } from './servers/secure-setup.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';

/**
 * The server as it is run in earnest (client certificates, a granted client, three limits on each call, the ledger on)
 * against a bare echo over the same TLS. Every process it starts has ended when it settles.
 */
export async function measureSecure(
  { servers: rounds }: Pick<BenchOptions, 'servers'>,
  progress: (text: string) => void,
): Promise<ServerFigures> {
  const running = new AsyncDisposableStack();
  const stopLater = <T extends { stop(): Promise<void> }>(thing: T): T =>
    running.adopt(thing, (started) => started.stop());
  try {
    progress('secure: starting');
    const setup = stopLater(await makeSecureSetup());
    const generator = stopLater(startLoadGenerator());
    const sink = stopLater(await startTelemetrySink());
    const server = stopLater(await startCallpassServer(sink.url, { secure: setup }));
    const call = server.single;
    const echo = stopLater(await startEchoServer(call, setup.files));
    const load = { call, unitsPerCall: 1, generator, shape: SHAPE, roundMs: rounds.roundMs };
    const contestants = [
      loadContestant({ name: 'echo over TLS', server: echo, ...load }),
      loadContestant({ name: 'server with mTLS and limits', server, ...load }),
    ];
    const speeds = await runInterleaved(contestants, rounds, ({ number, of, warmUp, speeds: figures }) => {
      const text = contestants.map(({ name }, at) => `${name} ${Math.round(figures[at] as number)}/s`);
      progress(`secure: round ${number} of ${of}${warmUp ? ' (warm-up)' : ''}: ${text.join(', ')}`);
    });
    await server.stop();
    await sink.assertUsed();
    const [baseline, measured] = speeds as [Speeds, Speeds];
    return {
      rows: [
        {
          name: 'IssueCredentials, mTLS, grants, 3 limits',
          baselineName: 'bare grpc-js echo over TLS',
          unit: 'calls/s',
          target: 0.38,
          measured,
          baseline,
          ratio: ratioOf(measured, baseline),
        },
      ],
      cpuUse: contestants.map((contestant) => contestant.cpuUse(rounds.measured)),
    };
  } finally {
    await running.disposeAsync();
  }
}
