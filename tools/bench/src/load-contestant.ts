import { assertAnswered, type LoadGenerator } from './load/generator.ts';
import type { Contestant, Sample } from './rounds.ts';
import type { ExampleCall } from './servers/callpass-server.ts';
import type { BenchChild } from './servers/child-process.ts';
import { sum } from './statistics.ts';

/** Cores in use while a contestant was under load. NaN where the system does not tell. */
export interface CoresInUse {
  readonly name: string;
  /** All threads of its processes together. */
  readonly serverCores: number;
  /** Near 1 it may be the load generator that is measured. */
  readonly generatorCores: number;
}

/** Contestant whose processes are under load from a generator. */
export interface MeteredContestant extends Contestant {
  /** Cores in use over the last rounds. */
  cores(rounds: number): CoresInUse;
}

/** Processes of a contestant, and the load that they are put under. */
export interface MeteredPlan {
  readonly name: string;
  readonly processes: readonly BenchChild[];
  /** Process whose main thread counts; default: those of all. */
  readonly mainThreadOf?: BenchChild;
  readonly generator: { cpuSeconds(): number };
  /** Puts them under load for a round. */
  run(): Promise<{
    /** Units of work per second, once the load had run in. */
    readonly perSecond: number;
    /** Units of work in the whole round. */
    readonly units: number;
    readonly p50Ms?: number;
  }>;
}

/** Attempts at a round: servers also refuse calls when their machine stood still for a while, but then not every time. */
const ATTEMPTS = 4;

/** Meters the CPU time of a contestant's processes beside its rate. A round that fails is repeated and counts for nothing. */
export function meteredContestant(plan: MeteredPlan): MeteredContestant {
  const { name, processes, generator } = plan;
  const mainThreadsOf = plan.mainThreadOf ? [plan.mainThreadOf] : processes;
  const used: { server: number; generator: number; seconds: number }[] = [];
  const now = () => ({
    server: sum(processes.map((child) => child.cpuSeconds())),
    mainThread: sum(mainThreadsOf.map((child) => child.mainThreadCpuSeconds())),
    generator: generator.cpuSeconds(),
    seconds: performance.now() / 1000,
  });
  const runRound = async (): Promise<Sample> => {
    const before = now();
    const { perSecond, units, p50Ms } = await plan.run();
    const after = now();
    used.push({
      server: after.server - before.server,
      generator: after.generator - before.generator,
      seconds: after.seconds - before.seconds,
    });
    return {
      perSecond,
      mainThreadUs: (1e6 * (after.mainThread - before.mainThread)) / units,
      allThreadsUs: (1e6 * (after.server - before.server)) / units,
      ...(p50Ms !== undefined && { p50Ms }),
    };
  };
  return {
    name,
    async runRound() {
      for (let attempt = 1; ; attempt++) {
        try {
          return await runRound();
        } catch (error) {
          if (attempt === ATTEMPTS) throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
        }
      }
    },
    cores(rounds) {
      const total = (key: keyof (typeof used)[number]) => sum(used.slice(-rounds).map((round) => round[key]));
      const seconds = total('seconds');
      return { name, serverCores: total('server') / seconds, generatorCores: total('generator') / seconds };
    },
  };
}

/** Call, server and load of a measurement. */
export interface LoadPlan {
  readonly name: string;
  readonly server: { readonly address: string; readonly child: BenchChild };
  readonly call: ExampleCall;
  /** Weight of one call in the results. */
  readonly unitsPerCall: number;
  readonly generator: LoadGenerator;
  readonly shape: { readonly connections: number; readonly concurrency: number };
  readonly roundMs: number;
}

/** Several times what a call takes while the server is fully loaded. */
const RUN_IN_MS = 500;

/** Puts a server under load, round by round; a round throws when not every call is answered as it should be. */
export function loadContestant(plan: LoadPlan): MeteredContestant {
  const { name, server, call, unitsPerCall, generator, shape, roundMs } = plan;
  return meteredContestant({
    name,
    processes: [server.child],
    generator,
    async run() {
      const load = { ...shape, runInMs: RUN_IN_MS, durationMs: roundMs };
      const result = await generator.run(server.address, call, load);
      assertAnswered(result, call);
      return { perSecond: result.perSecond * unitsPerCall, units: result.ok * unitsPerCall };
    },
  });
}
