import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import {
  AdminService,
  CredentialService,
  LimitSchema,
  LimitScope,
  type ReplayReport,
} from '@callpass/contract';
import { createClient, type Client } from '@callpass/grpc-kit';
import { verdictOf } from './comparison.ts';
import { capacityOf } from './latency/measure-latency.ts';
import { startLoadGenerator, startPacedGenerator } from './load/generator.ts';
import type { OpenLoopResult } from './load/pace.ts';
import type { BenchOptions } from './options.ts';
import { withProcesses, type Bar, type PartFigures } from './part.ts';
import { whole } from './report.ts';
import { SHAPE } from './server-part.ts';
import { DESTINATION, open, startCallpassServer, type CallpassServer } from './servers/callpass-server.ts';
import { startTelemetrySink } from './servers/telemetry-sink.ts';
import { estimate, median, ratioOf, type Estimate } from './statistics.ts';

/** Visitors of the ledger, who are remembered in the windows of a limit. */
const VISITORS = 66_000;
const BATCH = 256;
const BATCHES_IN_FLIGHT = 4;
const PACED = { connections: 8, timeoutMs: 5000 };
const CAPACITY_RUN_IN_MS = 300;
const SHARE = 0.25;
const REPLAY_LIMIT_MS = 300_000;
const IDLE_MS = 3000;
const SAMPLE_MS = 50;
const BARS = { seconds: 30, megabytesOverIdle: 150, p99Ratio: 2 };

/** The replay of a long ledger: its time and memory, and the latency of issues at a quarter of the capacity beside it. */
export function measureReplay(
  options: Pick<BenchOptions, 'scale' | 'servers' | 'latency'>,
  progress: (text: string) => void,
): Promise<PartFigures> {
  return withProcesses(async (stopLater) => {
    const { scale, servers, latency } = options;
    const folder = mkdtempSync(join(tmpdir(), 'callpass-bench-replay-'));
    stopLater({ stop: async () => rmSync(folder, { recursive: true, force: true }) });
    const storeUrl = `sqlite:${join(folder, 'callpass.db')}`;
    const sink = stopLater(await startTelemetrySink());
    const filled = await startCallpassServer(sink.url, { storeUrl });
    const issued = await fill(filled, scale.entries, progress).finally(() => filled.stop());
    // A process of its own: what filling has left in the memory of the other is not idle.
    const server = stopLater(await startCallpassServer(sink.url, { storeUrl, joins: filled }));
    const replay = await openReplay(server, Math.min(issued, VISITORS));
    stopLater(replay);

    const alone = [];
    for (let round = 1; round <= latency.measured; round++) {
      alone.push(await withPeak(server, replay.run));
      const { seconds, megabytesOverIdle } = alone.at(-1) as Alone;
      progress(`replay: ${seconds.toFixed(1)} s, ${megabytesOverIdle.toFixed(0)} MB over idle`);
    }

    const generator = stopLater(startLoadGenerator());
    const load = { ...SHAPE, runInMs: CAPACITY_RUN_IN_MS, durationMs: servers.roundMs };
    const capacity = await capacityOf(
      {
        name: 'replay',
        capacity: async () => (await generator.run(server.address, server.single, load)).perSecond,
      },
      options,
      progress,
    );

    const paced = stopLater(startPacedGenerator());
    const shape = { ...PACED, ratePerSecond: SHARE * capacity, durationMs: latency.durationMs };
    const serve = () => paced.run(server.address, server.single, shape);
    const [without, beside]: [OpenLoopResult[], OpenLoopResult[]] = [[], []];
    await serve();
    for (let round = 1; round <= latency.measured; round++) {
      without.push(await serve());
      beside.push(await whileRepeating(replay.run, serve));
      const [off, on] = [without.at(-1), beside.at(-1)].map((result) => result?.accepted.p99.toFixed(1));
      progress(
        `replay: round ${round} of ${latency.measured}: p99 ${on} ms beside a replay, ${off} ms without`,
      );
    }
    return {
      rows: [],
      bars: barsOf({ entries: issued, alone, without, beside }),
      remarks: [
        `replay: capacity ${whole(capacity)}/s, offered ${whole(SHARE * capacity)}/s; counts were compared in each replay`,
      ],
    };
  });
}

/** Figures of a replay on an idle server. */
interface Alone {
  readonly seconds: number;
  readonly megabytesOverIdle: number;
}

function barsOf({
  entries,
  alone,
  without,
  beside,
}: {
  readonly entries: number;
  readonly alone: readonly Alone[];
  readonly without: readonly OpenLoopResult[];
  readonly beside: readonly OpenLoopResult[];
}): readonly Bar[] {
  const seconds = estimate(alone.map((each) => each.seconds));
  const peak = Math.max(...alone.map(({ megabytesOverIdle }) => megabytesOverIdle));
  const p99s = [beside, without].map((results) => results.map(({ accepted }) => accepted.p99));
  const [on = [], off = []] = p99s;
  const ratio = ratioOf(on, off);
  const missed = beside.reduce((sum, { due, accepted }) => sum + due - accepted.count, 0);
  return [
    {
      text: `replay of ${whole(entries)} entries ≤ ${BARS.seconds} s`,
      value: `${spread(seconds)} s`,
      verdict: verdictOf(seconds, { good: 'less', target: BARS.seconds, noise: 1 }),
    },
    {
      text: `memory over the idle server ≤ ${BARS.megabytesOverIdle} MB`,
      value: `${peak.toFixed(0)} MB at most`,
      verdict: peak <= BARS.megabytesOverIdle ? 'met' : 'not met',
    },
    {
      text: `p99 at ${100 * SHARE} % of the capacity ≤ ${BARS.p99Ratio} times that without a replay`,
      value: `${median(on).toFixed(1)} / ${median(off).toFixed(1)} ms, ratio ${spread(ratio)}`,
      verdict: verdictOf(ratio, { good: 'less', target: BARS.p99Ratio, noise: 1 }),
    },
    {
      text: 'every call beside a replay is answered with OK',
      value: `${whole(missed)} were not`,
      verdict: missed === 0 ? 'met' : 'not met',
    },
  ];
}

const spread = ({ median, low, high }: Estimate) =>
  `${median.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`;

/** Issues until the ledger is that long, for all visitors in turn. Gives the number of what it has issued. */
async function fill(
  { address }: Pick<CallpassServer, 'address'>,
  entries: number,
  progress: (text: string) => void,
): Promise<number> {
  const connection = open(address);
  const client = createClient(CredentialService, connection);
  let asked = 0;
  const nextBatch = () => {
    const requests = Array.from({ length: BATCH }, (_, index) => ({
      destination: DESTINATION,
      subject: `visitor-${(asked + index) % VISITORS}`,
    }));
    asked += BATCH;
    if (asked % (BATCH * 400) === 0) progress(`replay: ledger of ${whole(asked)} entries`);
    return requests;
  };
  const work = async () => {
    while (asked < entries) {
      const { results } = await client.batchIssueCredentials(
        { requests: nextBatch() },
        { timeoutMs: 60_000 },
      );
      if (results.some(({ result }) => result.case !== 'response')) throw new Error('the fill was refused');
    }
  };
  await Promise.all(Array.from({ length: BATCHES_IN_FLIGHT }, work)).finally(() => connection.close());
  return asked;
}

/** Replays of a configuration that would have granted each visitor one call, and has two limits besides that refuse nothing. */
async function openReplay(server: CallpassServer, visitors: number) {
  const connection = open(server.address);
  const admin: Client<typeof AdminService> = createClient(AdminService, connection);
  const { configuration } = await admin.getConfiguration({});
  const window = { seconds: 86_400n };
  const limits = [
    { per: LimitScope.SUBJECT, max: 1, window },
    { per: LimitScope.CLIENT, max: 1_000_000_000, window },
    { per: LimitScope.DESTINATION, max: 1_000_000_000, window },
  ].map((limit) => create(LimitSchema, limit));
  for (const destination of configuration?.destinations ?? []) destination.limits = limits;
  return {
    /** Seconds that it took. Throws unless it counts what was issued by hand: all but the first call of each visitor. */
    run: async (): Promise<number> => {
      const startMs = performance.now();
      let report: ReplayReport | undefined;
      const options = { timeoutMs: REPLAY_LIMIT_MS };
      for await (const { part } of admin.replayConfiguration({ configuration }, options))
        if (part.case === 'report') report = part.value;
      // Besides those of the fill there is the visitor of the load.
      const wanted = (report?.issuedCount ?? 0n) - BigInt(visitors + 1);
      if (report === undefined || report.wouldBeRefusedCount !== wanted)
        throw new Error(`the replay counts ${report?.wouldBeRefusedCount}, by hand it is ${wanted}`);
      return (performance.now() - startMs) / 1000;
    },
    stop: async () => connection.close(),
  };
}

/** Runs something on an idle server, and tells the most memory that the process had meanwhile, over that of before. */
async function withPeak({ child }: CallpassServer, run: () => Promise<number>): Promise<Alone> {
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const idle = child.residentMegabytes();
  let peak = idle;
  const timer = setInterval(() => (peak = Math.max(peak, child.residentMegabytes())), SAMPLE_MS);
  const seconds = await run().finally(() => clearInterval(timer));
  return { seconds, megabytesOverIdle: peak - idle };
}

/** Measures while something else is repeated without a pause, from before the beginning to after the end. */
async function whileRepeating<T>(repeat: () => Promise<unknown>, measure: () => Promise<T>): Promise<T> {
  let isOver = false;
  const repeating = async () => {
    while (!isOver) await repeat();
  };
  const [result] = await Promise.all([
    measure().finally(() => {
      isOver = true;
    }),
    repeating(),
  ]);
  return result;
}
