import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nodeOptionsOf } from '@callpass/testkit/programs';
import { startLoadGenerator, startPacedGenerator } from '../load/generator.ts';
import type { OpenLoopResult } from '../load/pace.ts';
import type { BenchOptions } from '../options.ts';
import { withProcesses, type PartFigures } from '../part.ts';
import { SHAPE } from '../server-part.ts';
import { startCallpassServer, type CallpassServer, type ServerOptions } from '../servers/callpass-server.ts';
import { startEchoServer } from '../servers/echo-server.ts';
import { ASK_FOR_PAUSES, type Pauses } from '../servers/pauses.ts';
import { startTelemetrySink } from '../servers/telemetry-sink.ts';
import { sum } from '../statistics.ts';
import { latencyRow } from './latency-row.ts';

/** Calls per second: about a fourth of what a server takes on two cores. */
const RATE = 2000;
/** Some ten thousand calls, until the engine has settled on how to run the code. */
const WARM_UP = { ...SHAPE, runInMs: 0, durationMs: 4000 };
const PACED = { connections: 8, timeoutMs: 5000 };
/** Of an option that is given twice, Node takes the second. */
const IMAGE = nodeOptionsOf('server');
/** A folder that is kept in memory, where the system has one. */
const MEMORY = '/dev/shm';

const PAUSES = ['--import', new URL('../servers/pauses.ts', import.meta.url).href];

/** The server as its image starts it, and as often with one thing changed. */
const VARIANTS: readonly { name: string; options?: ServerOptions; inMemory?: boolean }[] = [
  { name: 'as the image starts it' },
  withNode('four threads for the work of V8, not one', '--v8-pool-size=4'),
  withNode('garbage is collected by one thread', '--single-threaded-gc'),
  withNode('old generation of 2 GiB, not 256 MiB', '--max-old-space-size=2048'),
  withNode('old generation may grow by 40 %, not 100, before it is collected', '--heap-growing-percent=40'),
  withNode('old generation may grow by 300 %', '--heap-growing-percent=300'),
  withNode('young generation of 8 MiB, not 16', '--max-semi-space-size=8'),
  withNode('young generation of 32 MiB', '--max-semi-space-size=32'),
  { name: 'no telemetry', options: { environment: { OTEL_SDK_DISABLED: 'true' } } },
  {
    name: 'state looked for every 2 s, not 0.5 s',
    options: { environment: { CALLPASS_STORE_POLL_INTERVAL: '2s' } },
  },
  { name: 'database in memory', inMemory: true },
];

function withNode(name: string, option: string) {
  return { name, options: { nodeOptions: [...IMAGE, option] } };
}

/** Latency of servers that differ in one thing, in turn at the same rate: it shows what makes the tail. */
export function measureCauses(
  { latency: { measured, durationMs } }: Pick<BenchOptions, 'latency'>,
  progress: (text: string) => void,
): Promise<PartFigures> {
  return withProcesses(async (stopLater) => {
    const sink = stopLater(await startTelemetrySink());
    const paced = stopLater(startPacedGenerator());
    const generator = stopLater(startLoadGenerator());
    const start = async ({ options = {}, inMemory }: (typeof VARIANTS)[0]): Promise<CallpassServer> => {
      const nodeOptions = [...(options.nodeOptions ?? IMAGE), ...PAUSES];
      if (!inMemory) return stopLater(await startCallpassServer(sink.url, { ...options, nodeOptions }));
      const folder = mkdtempSync(join(MEMORY, 'callpass-bench-'));
      stopLater({ stop: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })) });
      const storeUrl = `sqlite:${join(folder, 'callpass.db')}`;
      return stopLater(await startCallpassServer(sink.url, { ...options, nodeOptions, storeUrl }));
    };
    const variants = [];
    for (const variant of VARIANTS) {
      const server = await start(variant);
      variants.push({ name: variant.name, server, own: [] as OpenLoopResult[], pauses: [] as Pauses[] });
    }
    const [{ server: first }] = variants as [(typeof variants)[0]];
    const echo = stopLater(await startEchoServer(first.single));
    const echoes: OpenLoopResult[] = [];
    const run = (address: string) =>
      paced.run(address, first.single, { ...PACED, ratePerSecond: RATE, durationMs });

    progress('causes: warm-up');
    for (const { server } of variants) await generator.run(server.address, server.single, WARM_UP);
    for (let round = 1; round <= measured; round++) {
      progress(`causes: round ${round} of ${measured}`);
      echoes.push(await run(echo.address));
      for (const { server, own, pauses } of variants) {
        await pausesOf(server);
        own.push(await run(server.address));
        pauses.push(await pausesOf(server));
      }
    }
    return {
      rows: [],
      latency: variants.map(({ name, own }) =>
        latencyRow({ name, ratePerSecond: RATE, own, echo: echoes, bars: {} }),
      ),
      remarks: variants.map(({ name, pauses }) => `${name}: ${describe(pauses)}`),
    };
  });
}

const pausesOf = ({ child }: CallpassServer) => child.ask<Pauses>(ASK_FOR_PAUSES);

function describe(rounds: readonly Pauses[]): string {
  return (['young', 'old'] as const)
    .map((kind) => {
      const all = rounds.map((pauses) => pauses[kind]);
      const count = sum(all.map((each) => each.count));
      const totalMs = sum(all.map((each) => each.totalMs));
      const maxMs = Math.max(...all.map((each) => each.maxMs));
      return `${count} pauses for the ${kind} generation, ${totalMs.toFixed(0)} ms together, ${maxMs.toFixed(1)} ms the longest`;
    })
    .join('; ');
}
