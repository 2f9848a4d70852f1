import type { ExampleCall } from '../servers/callpass-server.ts';
import type { LoadResult, LoadShape } from './generate-load.ts';

/** What both servers are loaded with: the same program, connections and concurrency. */
export interface LoadGenerator {
  readonly name: string;
  /** Loads a server for a while. Rejects when it cannot. */
  run(address: string, call: ExampleCall, shape: LoadShape): Promise<LoadResult>;
  /** CPU seconds it has used so far; NaN where that is not known. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** How far sizes of answers may differ: the times in them take a few bytes more or less. */
const SIZE_TOLERANCE = 0.03;

/**
 * Throws when not every call was answered with what the example was answered with: a server that refuses is fast, and
 * `h2load` takes a gRPC error for success, since its HTTP status is 200. A refusal shows in the size: it has no message.
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
