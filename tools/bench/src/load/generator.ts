import type { ExampleCall } from '../servers/callpass-server.ts';
import { startSource } from '../servers/child-process.ts';
import type { LoadResult, LoadShape } from './generate-load.ts';
import type { LoadOrder, LoadReport } from './load-process.ts';
import type { OpenLoopOrder, OpenLoopReport } from './open-loop-process.ts';
import type { OpenLoopResult, OpenLoopShape } from './pace.ts';

/** The load generator. Servers that are compared get the same program, connections and concurrency. */
export interface LoadGenerator {
  /** Loads a server for a while. Rejects when it cannot. */
  run(address: string, call: ExampleCall, shape: LoadShape): Promise<LoadResult>;
  /** CPU seconds it has used so far; NaN where the system does not tell (elsewhere than Linux). */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** Starts the load generator in a process of its own, so that it does not share a thread with anything. */
export function startLoadGenerator(): LoadGenerator {
  const child = startSource(new URL('./load-process.ts', import.meta.url));
  return {
    async run(address, { path, message, tls }, shape) {
      const target = { address, path, tls, message: Buffer.from(message).toString('base64') };
      child.process.send({ target, shape } satisfies LoadOrder);
      const report = (await child.message()) as LoadReport;
      if ('error' in report) throw new Error(report.error);
      return report.result;
    },
    cpuSeconds: () => child.cpuSeconds(),
    stop: () => child.stop(),
  };
}

/** The generator of calls at a fixed rate. */
export interface PacedGenerator {
  /** Calls at a rate for a while. Rejects when a connection breaks. */
  run(address: string, call: ExampleCall, shape: OpenLoopShape): Promise<OpenLoopResult>;
  stop(): Promise<void>;
}

/** Starts the generator of calls at a fixed rate in a process of its own. */
export function startPacedGenerator(): PacedGenerator {
  const child = startSource(new URL('./open-loop-process.ts', import.meta.url));
  return {
    async run(address, { path, message, tls }, shape) {
      const target = { address, path, tls, message: Buffer.from(message).toString('base64') };
      child.process.send({ target, shape } satisfies OpenLoopOrder);
      const report = (await child.message()) as OpenLoopReport;
      if ('error' in report) throw new Error(report.error);
      return report.result;
    },
    stop: () => child.stop(),
  };
}

/** Tolerance for the size of responses: their times vary by a few bytes. */
const SIZE_TOLERANCE = 0.03;

/**
 * Throws when not every call was answered with what the example was answered with: a server that refuses is fast.
 * A refusal shows in the size too: it has no message.
 */
export function assertAnswered(result: LoadResult, call: ExampleCall): void {
  const calls = result.ok + result.failed;
  const answered = result.responseBytes / (call.responseBytes + 5);
  const sized =
    answered >= calls * (1 - SIZE_TOLERANCE) && answered <= (calls + result.cutOff) * (1 + SIZE_TOLERANCE);
  if (calls > 0 && result.failed === 0 && sized) return;
  throw new Error(
    `${call.path}: of ${calls} calls ${result.failed} failed; ` +
      `the answers held the bytes of ${answered.toFixed(1)} calls (${result.cutOff} were cut off)`,
  );
}
