import { readFileSync } from 'node:fs';
import { loadContestant, type LoadContestant } from './load-contestant.ts';
import { startLoadGenerator, type LoadGenerator } from './load/generator.ts';
import { ratioOf, runInterleaved, type Rounds } from './measure.ts';
import type { BenchRow } from './report.ts';
import { startCallpassServer, type CallpassServer } from './servers/callpass-server.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';

/** Sizes of the measurement. */
export interface Scale {
  readonly fewDestinations: number;
  readonly manyDestinations: number;
  /** Entries in the long ledger. */
  readonly entries: number;
}

const SHAPE = { connections: 4, concurrency: 20 };
const FILL_SHAPE = { connections: 2, concurrency: 2, runInMs: 0, durationMs: 2000 };
const FILL_BATCH = 256;
/** Tolerance for the cost of one issue at all sizes: 10 %. */
const TARGET = 0.9;

/** Result of this part. */
export interface ScaleFigures {
  readonly rows: readonly BenchRow[];
  /** Memory as the ledger grew, for people. */
  readonly remarks: readonly string[];
}

/** The cost of one issue with few and with many destinations, and with an empty and a long ledger. */
export async function measureScale(
  options: { scale: Scale; rounds: Rounds & { roundMs: number } },
  progress: (text: string) => void,
): Promise<ScaleFigures> {
  const { scale, rounds } = options;
  const running = new AsyncDisposableStack();
  const stopLater = <T extends { stop(): Promise<void> }>(thing: T): T =>
    running.adopt(thing, (started) => started.stop());
  try {
    const generator = stopLater(startLoadGenerator());
    const sink = stopLater(await startTelemetrySink());
    progress(`scale: starting with ${scale.fewDestinations} and ${scale.manyDestinations} destinations`);
    const few = stopLater(await startCallpassServer(sink.url, { destinations: scale.fewDestinations }));
    const many = stopLater(await startCallpassServer(sink.url, { destinations: scale.manyDestinations }));
    const long = stopLater(await startCallpassServer(sink.url, { destinations: scale.fewDestinations }));
    const remarks = await fill(long, { entries: scale.entries, generator, progress });

    const contestant = (name: string, server: CallpassServer): LoadContestant =>
      loadContestant({
        ...{ name, server, call: server.single, unitsPerCall: 1, shape: SHAPE },
        ...{ generator, roundMs: rounds.roundMs },
      });
    const [small, wide, deep] = [contestant('few', few), contestant('many', many), contestant('long', long)];
    const contestants = [small, wide, deep];
    const speeds = await runInterleaved(contestants, rounds, (round) => {
      const figures = contestants.map(({ name }, at) => `${name} ${Math.round(round.speeds[at] ?? 0)}/s`);
      progress(
        `scale: round ${round.number} of ${round.of}${round.warmUp ? ' (warm-up)' : ''}: ${figures.join(', ')}`,
      );
    });
    const [base, wideSpeeds, deepSpeeds] = speeds as [
      (typeof speeds)[0],
      (typeof speeds)[0],
      (typeof speeds)[0],
    ];
    const row = (name: string, baselineName: string, measured: typeof base): BenchRow => ({
      ...{ name, baselineName, unit: 'calls/s', target: TARGET },
      ...{ measured, baseline: base, ratio: ratioOf(measured, base) },
    });
    return {
      rows: [
        row(
          `${count(scale.manyDestinations)} destinations`,
          `${count(scale.fewDestinations)} destinations`,
          wideSpeeds,
        ),
        row(`ledger of ${count(scale.entries)} entries`, 'empty ledger', deepSpeeds),
      ],
      remarks,
    };
  } finally {
    await running.disposeAsync();
  }
}

/** Issues until the ledger is that long, and tells how the memory of the server went along. */
async function fill(
  server: CallpassServer,
  {
    entries,
    generator,
    progress,
  }: { entries: number; generator: LoadGenerator; progress: (text: string) => void },
): Promise<string[]> {
  const batch = await server.batch(FILL_BATCH);
  const remarks: string[] = [];
  const step = entries / 4;
  let issued = 0;
  let next = step;
  while (issued < entries) {
    const { ok } = await generator.run(server.address, batch, FILL_SHAPE);
    issued += ok * FILL_BATCH;
    progress(`scale: ledger of ${count(issued)} entries`);
    if (issued < next) continue;
    remarks.push(`memory of the server after ${count(issued)} issues: ${memoryMiB(server)} MiB`);
    while (next <= issued) next += step;
  }
  return remarks;
}

/** Resident memory; NaN where the system does not tell (elsewhere than Linux). */
function memoryMiB({ child }: CallpassServer): number {
  try {
    const [, kibibytes] =
      /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.process.pid}/status`, 'utf8')) ?? [];
    return Math.round(Number(kibibytes) / 1024);
  } catch {
    return NaN;
  }
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
