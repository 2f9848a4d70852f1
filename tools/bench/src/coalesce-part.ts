import { loadContestant, meteredContestant, type MeteredContestant } from './load-contestant.ts';
import { startLoadGenerator } from './load/generator.ts';
import type { BenchOptions } from './options.ts';
import { type Comparison, runPart, withProcesses, type PartFigures } from './part.ts';
import { SHAPE } from './server-part.ts';
import { DESTINATION, startCallpassServer, type CallpassServer } from './servers/callpass-server.ts';
import { startSource } from './servers/child-process.ts';
import type { ClientOrder, ClientReport } from './servers/client-process.ts';
import { startGoPeer } from './servers/go-peer.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';

const CALLERS = 256;

/**
 * `@callpass/client` with `coalesce` against itself without, from one process to one server: many callers at once, and one
 * alone, for whom nothing may change. Beside it, what a Go service answers that makes tokens and nothing else.
 */
export function measureCoalesce(
  { servers: rounds }: Pick<BenchOptions, 'servers'>,
  progress: (text: string) => void,
): Promise<PartFigures> {
  return withProcesses(async (stopLater) => {
    progress('coalesce: starting');
    const sink = stopLater(await startTelemetrySink());
    const server = stopLater(await startCallpassServer(sink.url));
    const { roundMs } = rounds;
    const client = (name: string, callers: number, ...mode: string[]) => {
      const file = new URL('./servers/client-process.ts', import.meta.url);
      const child = stopLater(startSource(file, [server.address, DESTINATION, ...mode]));
      return clientContestant({ name, child, server, order: { callers, durationMs: roundMs } });
    };
    const single = client(`single calls of ${CALLERS} callers`, CALLERS);
    const again = client('single calls again', CALLERS);
    const coalesced = client(`coalesced calls of ${CALLERS} callers`, CALLERS, 'coalesce');
    const lone = client('a lone caller', 1);
    const loneCoalesced = client('a lone caller with coalesce', 1, 'coalesce');
    const unit = 'credentials';
    const comparisons: Comparison[] = [
      {
        name: `\`@callpass/client\` with \`coalesce\`, ${CALLERS} callers (all threads: with the client's)`,
        ...{ baselineName: 'single calls', unit, measured: coalesced, baseline: single },
        targets: { throughput: 3, perSecond: 45_000 },
      },
      {
        ...{ name: 'a lone caller with `coalesce`', baselineName: 'one without', unit },
        ...{ measured: loneCoalesced, baseline: lone, targets: { p50: 1.05 } },
      },
    ];
    const go = await startGoPeer(server.single);
    if (typeof go === 'object') {
      const generator = stopLater(startLoadGenerator());
      const peer = loadContestant({
        ...{ name: 'Go', server: stopLater(go), call: go.call, unitsPerCall: 1 },
        ...{ generator, shape: SHAPE, roundMs },
      });
      comparisons.push({
        ...{ name: 'the same 256 callers', measured: coalesced, baseline: peer, unit },
        baselineName: 'a Go service on one core that makes three ECB tokens a call and nothing else',
        targets: {},
      });
    }
    const figures = await runPart({
      ...{ name: 'coalesce', yardstick: single, again, rounds, progress },
      comparisons,
    });
    return typeof go === 'object' ? figures : { ...figures, remarks: [...figures.remarks, go] };
  });
}

function clientContestant(plan: {
  readonly name: string;
  readonly child: ReturnType<typeof startSource>;
  readonly server: CallpassServer;
  readonly order: ClientOrder;
}): MeteredContestant {
  const { name, child, server, order } = plan;
  return meteredContestant({
    ...{ name, processes: [server.child, child], mainThreadOf: server.child, generator: child },
    run: () => child.ask<ClientReport>(order),
  });
}
