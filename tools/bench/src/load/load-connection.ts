import { FrameSocket, type ClientTls, type StreamFrame } from './frame-socket.ts';
import {
  FLAG,
  frame,
  FRAME,
  grpcMessage,
  grpcRequestHeaders,
  isGrpcOk,
  MAX_FRAME_BYTES,
} from './http2-frames.ts';

/** Call that is repeated. */
export interface LoadTarget {
  /** host:port. */
  readonly address: string;
  /** Plain text when left out. */
  readonly tls?: ClientTls | undefined;
  /** `/pkg.Service/Method`, unary. */
  readonly path: string;
  /** The encoded request, at most 16 KiB. */
  readonly message: Uint8Array;
}

/** Results so far. */
export interface LoadCounts {
  /** Answers with grpc-status 0. */
  ok: number;
  /** Answers with any other end. */
  failed: number;
  /** Bytes of response messages, with their prefixes. */
  responseBytes: number;
}

/** The frames of one call, made once; only the number of the stream differs from call to call. */
export class RequestFrames {
  /** Bytes that the call takes of the connection's window. */
  readonly messageBytes: number;
  readonly #bytes: Buffer;
  readonly #dataAt: number;

  /** Throws RangeError for a request over 16 KiB. */
  constructor(target: LoadTarget, options: { timeoutMs?: number } = {}) {
    const message = grpcMessage(target.message);
    if (message.length > MAX_FRAME_BYTES) throw new RangeError('a load request does not fit one frame');
    const headers = frame({
      type: FRAME.headers,
      flags: FLAG.endHeaders,
      payload: grpcRequestHeaders({ authority: target.address, path: target.path, ...options }),
    });
    this.messageBytes = message.length;
    this.#dataAt = headers.length;
    this.#bytes = Buffer.concat([
      headers,
      frame({ type: FRAME.data, flags: FLAG.endStream, payload: message }),
    ]);
  }

  /** The bytes of the call on this stream. */
  on(stream: number): Buffer {
    const request = Buffer.from(this.#bytes);
    request.writeUInt32BE(stream, 5);
    request.writeUInt32BE(stream, this.#dataAt + 5);
    return request;
  }
}

/** One connection that keeps a number of calls under way and counts how they end. */
export class LoadConnection {
  readonly counts: LoadCounts = { ok: 0, failed: 0, responseBytes: 0 };
  readonly #socket: FrameSocket;
  readonly #concurrency: number;
  readonly #request: RequestFrames;
  #nextStream = 1;
  #underWay = 0;
  #calling = false;
  #drained: (() => void) | undefined;

  private constructor(
    socket: FrameSocket,
    options: { request: RequestFrames; concurrency: number; onLost: (error: Error) => void },
  ) {
    this.#socket = socket;
    this.#request = options.request;
    this.#concurrency = options.concurrency;
    socket.start({
      onStreamFrame: (received) => this.#take(received),
      onRead: () => this.#afterRead(),
      onLost: (error) => {
        this.#drained?.();
        options.onLost(error);
      },
    });
  }

  /** Connects. `onLost` is told, once, when the connection breaks. Rejects with RangeError for a request over 16 KiB. */
  static async open(
    target: LoadTarget,
    options: { concurrency: number; onLost: (error: Error) => void },
  ): Promise<LoadConnection> {
    const request = new RequestFrames(target);
    return new LoadConnection(await FrameSocket.open(target.address, { tls: target.tls }), {
      request,
      ...options,
    });
  }

  /** Begins to call and goes on until {@link stop}. */
  start(): void {
    this.#calling = true;
    this.#call();
  }

  /** Makes no more calls; resolves when the last one has ended. */
  stop(): Promise<void> {
    this.#calling = false;
    if (this.#underWay === 0 || this.#socket.closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  /** Ends the connection. */
  close(): void {
    this.#socket.close();
  }

  #call(): void {
    const parts: Buffer[] = [];
    const { messageBytes } = this.#request;
    while (this.#calling && this.#underWay < this.#concurrency && this.#socket.sendWindow >= messageBytes) {
      parts.push(this.#request.on(this.#nextStream));
      this.#nextStream += 2;
      this.#underWay++;
      this.#socket.sendWindow -= messageBytes;
    }
    if (parts.length > 0)
      this.#socket.write(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts));
  }

  #afterRead(): void {
    this.#call();
    if (this.#underWay === 0) this.#drained?.();
  }

  #take({ type, flags, payload }: StreamFrame): void {
    switch (type) {
      case FRAME.data:
        this.counts.responseBytes += payload.length;
        if (flags & FLAG.endStream) this.#end(false);
        break;
      case FRAME.headers:
        if (flags & FLAG.endStream) this.#end((flags & FLAG.endHeaders) !== 0 && isGrpcOk(payload));
        break;
      case FRAME.rstStream:
        this.#end(false);
        break;
    }
  }

  #end(ok: boolean): void {
    this.#underWay--;
    if (ok) this.counts.ok++;
    else this.counts.failed++;
  }
}
