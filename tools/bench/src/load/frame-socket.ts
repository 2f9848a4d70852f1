import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  connectionPreface,
  FLAG,
  frame,
  FRAME,
  FRAME_HEADER_BYTES,
  INITIAL_WINDOW_BYTES,
  MAX_WINDOW_BYTES,
  windowUpdate,
} from './http2-frames.ts';

/** TLS with a client certificate, PEM. The server is taken for `localhost`. */
export interface ClientTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A frame that concerns a stream: DATA, HEADERS or RST_STREAM. */
export interface StreamFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** The events of a connection. */
export interface FrameSocketEvents {
  onStreamFrame(frame: StreamFrame): void;
  onSettings?(settings: Buffer): void;
  /** After each chunk of frames, when all of them were handed over. */
  onRead?(): void;
  /** The server's GOAWAY. Without this function it ends the connection. */
  onGoAway?(): void;
  /** Once, when the connection breaks or has ended by GOAWAY. Not after {@link FrameSocket.close}. */
  onLost(error: Error): void;
}

/** Received bytes after which the window is extended: half of it. */
const REOPEN_AFTER_BYTES = MAX_WINDOW_BYTES >>> 1;

/** The client's end of an HTTP/2 connection that keeps itself alive: settings, pings and windows are seen to here. */
export class FrameSocket {
  /** Remaining send window in bytes of DATA. */
  sendWindow = INITIAL_WINDOW_BYTES;
  readonly #socket: Socket;
  #events: FrameSocketEvents | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #unacknowledged = 0;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects to host:port, in plain text without `tls`, from `localAddress` where it is given. */
  static async open(
    address: string,
    { tls, localAddress }: { tls?: ClientTls | undefined; localAddress?: string } = {},
  ): Promise<FrameSocket> {
    const colon = address.lastIndexOf(':');
    const socket = connect({
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
      noDelay: true,
      ...(localAddress !== undefined && { localAddress }),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new FrameSocket(tls === undefined ? socket : await encrypt(socket, tls));
  }

  /** Sends the connection preface, and from here on reports what comes back. Once. */
  start(events: FrameSocketEvents): void {
    this.#events = events;
    this.write(connectionPreface());
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#socket.on('error', (error) => this.#lose(error));
    this.#socket.on('close', () => this.#lose(new Error('the server closed the connection')));
  }

  get closed(): boolean {
    return this.#closed;
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Ends the connection. */
  close(): void {
    this.#closed = true;
    this.#socket.destroy();
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
      this.write(windowUpdate(this.#unacknowledged));
      this.#unacknowledged = 0;
    }
    this.#events?.onRead?.();
  }

  #take(received: StreamFrame): void {
    const { type, flags, stream, payload } = received;
    switch (type) {
      case FRAME.data:
        this.#unacknowledged += payload.length;
        this.#events?.onStreamFrame(received);
        break;
      case FRAME.headers:
      case FRAME.rstStream:
        this.#events?.onStreamFrame(received);
        break;
      case FRAME.settings:
        if (flags & FLAG.ack) break;
        this.#events?.onSettings?.(payload);
        this.write(frame({ type: FRAME.settings, flags: FLAG.ack, payload: Buffer.alloc(0) }));
        break;
      case FRAME.ping:
        if (!(flags & FLAG.ack)) this.write(frame({ type: FRAME.ping, flags: FLAG.ack, payload }));
        break;
      case FRAME.windowUpdate:
        // A request is smaller than the window of its own stream, so only the connection's matters.
        if (stream === 0) this.sendWindow += payload.readUInt32BE(0);
        break;
      case FRAME.goAway:
        if (this.#events?.onGoAway) this.#events.onGoAway();
        else this.#lose(new Error('the server sent GOAWAY'));
        break;
    }
  }

  #lose(error: Error): void {
    if (this.#closed) return;
    this.close();
    this.#events?.onLost(error);
  }
}

function encrypt(socket: Socket, tls: ClientTls): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const encrypted = connectTls({ socket, ...tls, servername: 'localhost', ALPNProtocols: ['h2'] }, () => {
      resolve(encrypted);
    });
    encrypted.once('error', reject);
  });
}
