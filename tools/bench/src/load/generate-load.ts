import { setTimeout as pause } from 'node:timers/promises';
import { LoadConnection, type LoadCounts, type LoadTarget } from './load-connection.ts';
import { withConnections } from './with-connections.ts';

/** Concurrency and duration of a load. */
export interface LoadShape {
  readonly connections: number;
  /** Calls under way on each connection. */
  readonly concurrency: number;
  /** Duration of the load before the measurement; see {@link generateLoad}. */
  readonly runInMs: number;
  readonly durationMs: number;
}

/** Result of a load. */
export interface LoadResult extends Readonly<LoadCounts> {
  /** Calls that went well, per second, once the load had run in. */
  readonly perSecond: number;
  /** Calls that were cut off at the end: their answers may be among the bytes without being counted. */
  readonly cutOff: number;
}

/**
 * Calls for a while with a fixed number of calls under way. The speed is that of the time between running in and the end:
 * from a standing start, no call has ended until all that were begun at once have been worked on, which would make the slower
 * of two servers look slower than it is. Calls before and after are waited for and counted, not for the speed.
 *
 * Rejects when a connection cannot be made or breaks.
 */
export function generateLoad(target: LoadTarget, shape: LoadShape): Promise<LoadResult> {
  const { concurrency, runInMs, durationMs } = shape;
  return withConnections(
    shape.connections,
    (onLost) => LoadConnection.open(target, { concurrency, onLost }),
    async (connections, lost) => {
      for (const connection of connections) connection.start();
      await Promise.race([pause(runInMs), lost]);
      const before = total(connections).ok;
      const startMs = performance.now();
      await Promise.race([pause(durationMs), lost]);
      const ok = total(connections).ok - before;
      const seconds = (performance.now() - startMs) / 1000;
      await Promise.race([Promise.all(connections.map((connection) => connection.stop())), lost]);
      return { ...total(connections), perSecond: ok / seconds, cutOff: 0 };
    },
  );
}

function total(connections: readonly LoadConnection[]): LoadCounts {
  const sum: LoadCounts = { ok: 0, failed: 0, responseBytes: 0 };
  for (const { counts } of connections) {
    sum.ok += counts.ok;
    sum.failed += counts.failed;
    sum.responseBytes += counts.responseBytes;
  }
  return sum;
}
