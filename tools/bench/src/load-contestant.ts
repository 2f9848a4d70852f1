import { assertAnswered, type LoadGenerator } from './load/generator.ts';
import type { Contestant } from './measure.ts';
import type { ExampleCall } from './servers/callpass-server.ts';
import type { BenchChild } from './servers/child-process.ts';

/** CPU use of a server and of its load generator for one kind of call. */
export interface CpuUse {
  readonly name: string;
  /** Cores that the server used, all its threads together. NaN where the system does not tell. */
  readonly serverCores: number;
  /** Cores that the load generator used. Near 1 it may be the generator that is measured. */
  readonly generatorCores: number;
  /** CPU time of the server for one unit, all its threads together. */
  readonly microsecondsEach: number;
  /** CPU time of its main thread for one unit: the figure that other programs on the machine disturb least. */
  readonly mainThreadMicrosecondsEach: number;
}

/** A server under one kind of load. Its speed is in calls a second, or in what calls hold. */
export interface LoadContestant extends Contestant {
  /** Over the last so many rounds. */
  cpuUse(rounds: number): CpuUse;
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
export function loadContestant(plan: LoadPlan): LoadContestant {
  const { name, server, call, unitsPerCall, generator, shape, roundMs } = plan;
  const used: { server: number; mainThread: number; generator: number; seconds: number; units: number }[] =
    [];
  return {
    name,
    async runRound() {
      const before = {
        server: server.child.cpuSeconds(),
        mainThread: server.child.mainThreadCpuSeconds(),
        generator: generator.cpuSeconds(),
      };
      const startMs = performance.now();
      const result = await generator.run(server.address, call, {
        ...shape,
        runInMs: RUN_IN_MS,
        durationMs: roundMs,
      });
      assertAnswered(result, call);
      used.push({
        server: server.child.cpuSeconds() - before.server,
        mainThread: server.child.mainThreadCpuSeconds() - before.mainThread,
        generator: generator.cpuSeconds() - before.generator,
        seconds: (performance.now() - startMs) / 1000,
        units: result.ok * unitsPerCall,
      });
      return result.perSecond * unitsPerCall;
    },
    cpuUse(rounds) {
      const sum = (key: 'server' | 'mainThread' | 'generator' | 'seconds' | 'units') =>
        used.slice(-rounds).reduce((total, round) => total + round[key], 0);
      return {
        name,
        serverCores: sum('server') / sum('seconds'),
        generatorCores: sum('generator') / sum('seconds'),
        microsecondsEach: (1e6 * sum('server')) / sum('units'),
        mainThreadMicrosecondsEach: (1e6 * sum('mainThread')) / sum('units'),
      };
    },
  };
}
