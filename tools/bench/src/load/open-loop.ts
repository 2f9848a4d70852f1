import { FrameSocket, type StreamFrame } from './frame-socket.ts';
import { FLAG, FRAME, grpcStatusOf, maxConcurrentStreamsOf } from './http2-frames.ts';
import { Latencies } from './latencies.ts';
import { RequestFrames, type LoadTarget } from './load-connection.ts';

/** Calls that come at a fixed rate, whether or not the ones before were answered: as visitors do. */
export interface OpenLoopShape {
  readonly connections: number;
  readonly ratePerSecond: number;
  readonly durationMs: number;
  /** The deadline of each call, from when it was due. */
  readonly timeoutMs: number;
}

/** Latencies of one kind of answer in ms, from when the call was due to its status. */
export interface LatencyFigures {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Result of a load. Every call that was due is in exactly one of the counts. */
export interface OpenLoopResult {
  readonly due: number;
  /** Status OK. */
  readonly accepted: LatencyFigures;
  /** RESOURCE_EXHAUSTED. */
  readonly refused: LatencyFigures;
  /** Calls with any other status, by its number; -1 for none. */
  readonly others: Readonly<Record<string, number>>;
  /** Calls whose deadline passed before the server allowed a stream for them, or before it answered. */
  readonly expired: number;
  /** Largest delay of the generator itself, in milliseconds. Latencies are too long by at most that. */
  readonly generatorLagMs: number;
  readonly seconds: number;
}

const OK = 0;
const RESOURCE_EXHAUSTED = 8;
const TICK_MS = 1;

/** Calls at a fixed rate for a while. Rejects when a connection cannot be made or breaks. */
export async function openLoop(target: LoadTarget, shape: OpenLoopShape): Promise<OpenLoopResult> {
  const request = new RequestFrames(target, { timeoutMs: shape.timeoutMs });
  const tally = new Tally();
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const connections: OpenConnection[] = [];
  try {
    for (let opened = 0; opened < shape.connections; opened++) {
      connections.push(await OpenConnection.open(target.address, { request, tally, onLost: lost.reject }));
    }
    const startMs = performance.now();
    await Promise.race([callAtRate(connections, shape, tally), lost.promise]);
    const seconds = (performance.now() - startMs) / 1000;
    await Promise.race([answered(connections, shape.timeoutMs), lost.promise]);
    for (const connection of connections) tally.expired += connection.underWay;
    return tally.result(seconds);
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** Resolves when the time is over. What no connection may send yet waits in order of its time, until its deadline. */
function callAtRate(
  connections: readonly OpenConnection[],
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

function freeConnection(connections: readonly OpenConnection[], turn: number): OpenConnection | undefined {
  for (let tried = 0; tried < connections.length; tried++) {
    const connection = connections[(turn + tried) % connections.length] as OpenConnection;
    if (connection.free) return connection;
  }
  return undefined;
}

async function answered(connections: readonly OpenConnection[], limitMs: number): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (connections.some(({ underWay }) => underWay > 0) && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

class Tally {
  due = 0;
  expired = 0;
  readonly #accepted = new Latencies();
  readonly #refused = new Latencies();
  readonly #others: Record<string, number> = {};
  #lagMs = 0;

  lag(ms: number): void {
    this.#lagMs = Math.max(this.#lagMs, ms);
  }

  ended(status: number | undefined, latencyMs: number): void {
    if (status === OK) this.#accepted.add(latencyMs);
    else if (status === RESOURCE_EXHAUSTED) this.#refused.add(latencyMs);
    else this.#others[status ?? -1] = (this.#others[status ?? -1] ?? 0) + 1;
  }

  result(seconds: number): OpenLoopResult {
    return {
      due: this.due,
      accepted: figures(this.#accepted),
      refused: figures(this.#refused),
      others: this.#others,
      expired: this.expired,
      generatorLagMs: this.#lagMs,
      seconds,
    };
  }
}

function figures(latencies: Latencies): LatencyFigures {
  return {
    count: latencies.count,
    p50: latencies.percentile(0.5),
    p99: latencies.percentile(0.99),
    max: latencies.percentile(1),
  };
}

/** A connection that sends what it is told and notes how each call ended. */
class OpenConnection {
  readonly #socket: FrameSocket;
  readonly #request: RequestFrames;
  readonly #tally: Tally;
  readonly #dueMs = new Map<number, number>();
  #limit = Infinity;
  #nextStream = 1;
  #parts: Buffer[] = [];

  private constructor(socket: FrameSocket, { request, tally }: { request: RequestFrames; tally: Tally }) {
    this.#socket = socket;
    this.#request = request;
    this.#tally = tally;
  }

  /** Connects, and waits for the server's settings, which say how many calls it takes at a time. */
  static async open(
    address: string,
    options: { request: RequestFrames; tally: Tally; onLost: (error: Error) => void },
  ): Promise<OpenConnection> {
    const connection = new OpenConnection(await FrameSocket.open(address), options);
    await connection.#start(options.onLost);
    return connection;
  }

  #start(onLost: (error: Error) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.start({
        onStreamFrame: (received) => this.#take(received),
        onSettings: (settings) => {
          this.#limit = maxConcurrentStreamsOf(settings) ?? this.#limit;
          resolve();
        },
        onLost: (error) => {
          reject(error);
          onLost(error);
        },
      });
    });
  }

  get underWay(): number {
    return this.#dueMs.size;
  }

  get free(): boolean {
    return this.underWay < this.#limit && this.#socket.sendWindow >= this.#request.messageBytes;
  }

  call(dueMs: number): void {
    this.#dueMs.set(this.#nextStream, dueMs);
    this.#parts.push(this.#request.on(this.#nextStream));
    this.#socket.sendWindow -= this.#request.messageBytes;
    this.#nextStream += 2;
  }

  flush(): void {
    if (this.#parts.length === 0) return;
    this.#socket.write(Buffer.concat(this.#parts));
    this.#parts = [];
  }

  close(): void {
    this.#socket.close();
  }

  #take({ type, flags, stream, payload }: StreamFrame): void {
    const reset = type === FRAME.rstStream;
    if (!reset && !(flags & FLAG.endStream)) return;
    const dueMs = this.#dueMs.get(stream);
    if (dueMs === undefined) return;
    this.#dueMs.delete(stream);
    this.#tally.ended(reset ? undefined : grpcStatusOf(payload), performance.now() - dueMs);
  }
}
