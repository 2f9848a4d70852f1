import { connect, type Socket } from 'node:net';
import {
  FLAG,
  frame,
  FRAME,
  FRAME_HEADER_BYTES,
  greeting,
  grpcMessage,
  grpcRequestHeaders,
  INITIAL_WINDOW_BYTES,
  isGrpcOk,
  MAX_FRAME_BYTES,
  MAX_WINDOW_BYTES,
  windowUpdate,
} from './http2-frames.ts';

/** What is called, again and again. */
export interface LoadTarget {
  /** host:port, plain text. */
  readonly address: string;
  /** `/pkg.Service/Method`, unary. */
  readonly path: string;
  /** The encoded request, at most 16 KiB. */
  readonly message: Uint8Array;
}

/** What has come back so far. */
export interface LoadCounts {
  /** Answers with grpc-status 0. */
  ok: number;
  /** Answers with any other end. */
  failed: number;
  /** Bytes of response messages, with their prefixes. */
  responseBytes: number;
}

/** How much is received before the window is opened again: half of it. */
const REOPEN_AFTER_BYTES = MAX_WINDOW_BYTES >>> 1;

/** One connection that keeps a number of calls under way and counts how they end. */
export class LoadConnection {
  readonly counts: LoadCounts = { ok: 0, failed: 0, responseBytes: 0 };
  readonly #socket: Socket;
  readonly #concurrency: number;
  readonly #headers: Buffer;
  readonly #data: Buffer;
  readonly #messageBytes: number;
  readonly #onLost: (error: Error) => void;
  #rest: Buffer = Buffer.alloc(0);
  #nextStream = 1;
  #underWay = 0;
  #sendWindow = INITIAL_WINDOW_BYTES;
  #unacknowledged = 0;
  #calling = false;
  #closed = false;
  #drained: (() => void) | undefined;

  private constructor(
    socket: Socket,
    target: LoadTarget,
    options: { concurrency: number; onLost: (error: Error) => void },
  ) {
    const message = grpcMessage(target.message);
    this.#socket = socket;
    this.#concurrency = options.concurrency;
    this.#onLost = options.onLost;
    this.#messageBytes = message.length;
    this.#headers = frame({
      type: FRAME.headers,
      flags: FLAG.endHeaders,
      payload: grpcRequestHeaders({ authority: target.address, path: target.path }),
    });
    this.#data = frame({ type: FRAME.data, flags: FLAG.endStream, payload: message });
    socket.write(greeting());
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => this.#lose(error));
    socket.on('close', () => this.#lose(new Error('the server closed a connection of the load generator')));
  }

  /** Connects. `onLost` is told, once, when the connection breaks. Rejects with RangeError for a request over 16 KiB. */
  static async open(
    target: LoadTarget,
    options: { concurrency: number; onLost: (error: Error) => void },
  ): Promise<LoadConnection> {
    if (grpcMessage(target.message).length > MAX_FRAME_BYTES) {
      throw new RangeError('a load request does not fit one frame');
    }
    const colon = target.address.lastIndexOf(':');
    const socket = connect({
      host: target.address.slice(0, colon),
      port: Number(target.address.slice(colon + 1)),
      noDelay: true,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new LoadConnection(socket, target, options);
  }

  /** Begins to call and goes on until {@link stop}. */
  start(): void {
    this.#calling = true;
    this.#call();
  }

  /** Makes no more calls; resolves when the last one has ended. */
  stop(): Promise<void> {
    this.#calling = false;
    if (this.#underWay === 0 || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  /** Ends the connection. */
  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #call(): void {
    const parts: Buffer[] = [];
    while (this.#calling && this.#underWay < this.#concurrency && this.#sendWindow >= this.#messageBytes) {
      const request = Buffer.concat([this.#headers, this.#data]);
      request.writeUInt32BE(this.#nextStream, 5);
      request.writeUInt32BE(this.#nextStream, this.#headers.length + 5);
      parts.push(request);
      this.#nextStream += 2;
      this.#underWay++;
      this.#sendWindow -= this.#messageBytes;
    }
    if (parts.length > 0)
      this.#socket.write(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts));
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      this.#take({
        type: bytes[at + 3] as number,
        flags: bytes[at + 4] as number,
        stream: bytes.readUInt32BE(at + 5),
        payload: bytes.subarray(at + FRAME_HEADER_BYTES, end),
      });
      at = end;
    }
    this.#rest = bytes.subarray(at);
    if (this.#unacknowledged > REOPEN_AFTER_BYTES) {
      this.#socket.write(windowUpdate(this.#unacknowledged));
      this.#unacknowledged = 0;
    }
    this.#call();
    if (this.#underWay === 0) this.#drained?.();
  }

  #take({
    type,
    flags,
    stream,
    payload,
  }: {
    type: number;
    flags: number;
    stream: number;
    payload: Buffer;
  }): void {
    switch (type) {
      case FRAME.data:
        this.counts.responseBytes += payload.length;
        this.#unacknowledged += payload.length;
        if (flags & FLAG.endStream) this.#end(false);
        break;
      case FRAME.headers:
        if (flags & FLAG.endStream) this.#end((flags & FLAG.endHeaders) !== 0 && isGrpcOk(payload));
        break;
      case FRAME.rstStream:
        this.#end(false);
        break;
      case FRAME.settings:
        if (!(flags & FLAG.ack)) {
          this.#socket.write(frame({ type: FRAME.settings, flags: FLAG.ack, payload: Buffer.alloc(0) }));
        }
        break;
      case FRAME.ping:
        if (!(flags & FLAG.ack)) this.#socket.write(frame({ type: FRAME.ping, flags: FLAG.ack, payload }));
        break;
      case FRAME.windowUpdate:
        // A request is smaller than the window of its own stream, so only the connection's matters.
        if (stream === 0) this.#sendWindow += payload.readUInt32BE(0);
        break;
      case FRAME.goAway:
        this.#lose(new Error('the server sent the load generator away'));
        break;
    }
  }

  #end(ok: boolean): void {
    this.#underWay--;
    if (ok) this.counts.ok++;
    else this.counts.failed++;
  }

  #lose(error: Error): void {
    if (this.#closed) return;
    this.close();
    this.#drained?.();
    this.#onLost(error);
  }
}
