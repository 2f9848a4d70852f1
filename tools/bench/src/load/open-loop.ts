import { FrameSocket, type StreamFrame } from './frame-socket.ts';
import { FLAG, FRAME, grpcStatusOf, maxConcurrentStreamsOf } from './http2-frames.ts';
import { RequestFrames, type LoadTarget } from './load-connection.ts';
import { pace, Tally, type OpenLoopResult, type OpenLoopShape, type PacedConnection } from './pace.ts';
import { withConnections } from './with-connections.ts';

const OK = 0;
const RESOURCE_EXHAUSTED = 8;

/** Calls at a fixed rate for a while. Rejects when a connection cannot be made or breaks. */
export async function openLoop(target: LoadTarget, shape: OpenLoopShape): Promise<OpenLoopResult> {
  const request = new RequestFrames(target, { timeoutMs: shape.timeoutMs });
  const tally = new Tally();
  return withConnections(
    shape.connections,
    (onLost) => OpenConnection.open(target.address, { request, tally, onLost }),
    (connections, lost) => pace(connections, shape, { tally, lost }),
  );
}

/** A connection that sends what it is told and notes how each call ended. */
class OpenConnection implements PacedConnection {
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
    const status = reset ? undefined : grpcStatusOf(payload);
    const latencyMs = performance.now() - dueMs;
    if (status === OK) this.#tally.accepted(latencyMs);
    else if (status === RESOURCE_EXHAUSTED) this.#tally.refused(latencyMs);
    else this.#tally.other(status);
  }
}
