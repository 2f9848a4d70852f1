import { figuresOf, Latencies, type LatencyFigures } from './latencies.ts';

/** Calls that come at a fixed rate, whether or not the ones before were answered: as visitors do. */
export interface OpenLoopShape {
  readonly connections: number;
  readonly ratePerSecond: number;
  readonly durationMs: number;
  /** The deadline of each call, from when it was due. */
  readonly timeoutMs: number;
}

/** Result of a load. Every call that was due is in exactly one of the counts. */
export interface OpenLoopResult {
  readonly due: number;
  /** Status OK. */
  readonly accepted: LatencyFigures;
  /** RESOURCE_EXHAUSTED; over HTTP 429. */
  readonly refused: LatencyFigures;
  /** Calls with any other status, by its number; -1 for none. */
  readonly others: Readonly<Record<string, number>>;
  /** Calls whose deadline passed before the server allowed a stream for them, or before it answered. */
  readonly expired: number;
  /** Largest delay of the generator itself, in milliseconds. Latencies are too long by at most that. */
  readonly generatorLagMs: number;
  readonly seconds: number;
}

/** Connection that sends what it is given, and notes in the tally how each call ended. */
export interface PacedConnection {
  /** Calls without an answer. */
  readonly underWay: number;
  /** True if it can take a call now. */
  readonly free: boolean;
  /** Takes a call that was due then, on the clock of `performance.now()`. */
  call(dueMs: number): void;
  /** Sends what it has taken. */
  flush(): void;
}

const TICK_MS = 1;
const WAIT_MS = 5;

/**
 * Calls at a fixed rate for a while. The times of all calls are set before the first one, and a latency counts from that time:
 * a server that stands still is charged for every call that would have come meanwhile. Rejects when `lost` does.
 */
export async function pace(
  connections: readonly PacedConnection[],
  shape: OpenLoopShape,
  { tally, lost }: { tally: Tally; lost: Promise<never> },
): Promise<OpenLoopResult> {
  const startMs = performance.now();
  await Promise.race([callAtRate(connections, shape, tally), lost]);
  const seconds = (performance.now() - startMs) / 1000;
  await Promise.race([answered(connections, shape.timeoutMs), lost]);
  for (const connection of connections) tally.expired += connection.underWay;
  return tally.result(seconds);
}

/** Resolves when the time is over. What no connection may send yet waits in order of its time, until its deadline. */
function callAtRate(
  connections: readonly PacedConnection[],
  { ratePerSecond, durationMs, timeoutMs }: OpenLoopShape,
  tally: Tally,
): Promise<void> {
  const startMs = performance.now();
  const dueAt = (index: number) => startMs + (index * 1000) / ratePerSecond;
  const total = Math.floor((ratePerSecond * durationMs) / 1000);
  let next = 0;
  let turn = 0;
  let lastTickMs = startMs;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const nowMs = performance.now();
      tally.lag(nowMs - lastTickMs - TICK_MS);
      lastTickMs = nowMs;
      for (; next < total && dueAt(next) <= nowMs; next++) {
        if (nowMs - dueAt(next) > timeoutMs) {
          tally.expired++;
          continue;
        }
        const free = freeConnection(connections, turn++);
        if (free === undefined) break;
        free.call(dueAt(next));
      }
      for (const connection of connections) connection.flush();
      if (nowMs - startMs < durationMs) return;
      tally.expired += total - next;
      tally.due = total;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
}

function freeConnection(connections: readonly PacedConnection[], turn: number): PacedConnection | undefined {
  for (let tried = 0; tried < connections.length; tried++) {
    const connection = connections[(turn + tried) % connections.length] as PacedConnection;
    if (connection.free) return connection;
  }
  return undefined;
}

async function answered(connections: readonly PacedConnection[], limitMs: number): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (connections.some(({ underWay }) => underWay > 0) && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  }
}

/** Counts of how calls ended. */
export class Tally {
  due = 0;
  expired = 0;
  readonly #accepted = new Latencies();
  readonly #refused = new Latencies();
  readonly #others: Record<string, number> = {};
  #lagMs = 0;

  lag(ms: number): void {
    this.#lagMs = Math.max(this.#lagMs, ms);
  }

  accepted(latencyMs: number): void {
    this.#accepted.add(latencyMs);
  }

  refused(latencyMs: number): void {
    this.#refused.add(latencyMs);
  }

  other(status = -1): void {
    this.#others[status] = (this.#others[status] ?? 0) + 1;
  }

  result(seconds: number): OpenLoopResult {
    return {
      due: this.due,
      accepted: figuresOf(this.#accepted),
      refused: figuresOf(this.#refused),
      others: this.#others,
      expired: this.expired,
      generatorLagMs: this.#lagMs,
      seconds,
    };
  }
}
