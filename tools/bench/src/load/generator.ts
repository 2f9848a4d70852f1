import type { ExampleCall } from '../servers/callpass-server.ts';
import { startSource } from '../servers/child-process.ts';
import type { LoadResult, LoadShape } from './generate-load.ts';
import type { LoadOrder } from './load-order.ts';
import type { OpenLoopResult, OpenLoopShape } from './pace.ts';

/** Generator of calls. Servers that are compared get the same program, connections and concurrency. */
export interface Generator<Shape, Result> {
  /** Loads a server for a while. Rejects when it cannot. */
  run(address: string, call: ExampleCall, shape: Shape): Promise<Result>;
  /** CPU seconds it has used so far; NaN where the system does not tell (elsewhere than Linux). */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** The load generator: as many calls as the server takes with so many under way. */
export type LoadGenerator = Generator<LoadShape, LoadResult>;

/** Starts the load generator in a process of its own, so that it does not share a thread with anything. */
export const startLoadGenerator = (): LoadGenerator => startGenerator('./load-process.ts');

/** Starts the generator of calls at a fixed rate in a process of its own. */
export const startPacedGenerator = (): Generator<OpenLoopShape, OpenLoopResult> =>
  startGenerator('./open-loop-process.ts');

function startGenerator<Shape, Result>(program: string): Generator<Shape, Result> {
  const child = startSource(new URL(program, import.meta.url));
  return {
    run(address, { path, message, tls }, shape) {
      const target = { address, path, tls, message: Buffer.from(message).toString('base64') };
      return child.ask({ target, shape } satisfies LoadOrder<Shape>);
    },
    cpuSeconds: () => child.cpuSeconds(),
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
