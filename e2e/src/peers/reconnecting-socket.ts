import { FrameSocket } from '@callpass/bench';

/** A connection of a hostile peer, which is opened anew as soon as it is lost. */
export class ReconnectingSocket {
  /** The connection; `undefined` while there is none. */
  socket: FrameSocket | undefined;
  connections = 0;
  refused = 0;
  readonly #address: string;
  readonly #localAddress: string;
  readonly #retryMs: number;
  readonly #onOpen: (socket: FrameSocket) => void;

  /** @param onOpen is called with each new connection, before it is {@link socket}. */
  constructor(parts: {
    readonly address: string;
    readonly localAddress: string;
    readonly retryMs: number;
    readonly onOpen: (socket: FrameSocket) => void;
  }) {
    this.#address = parts.address;
    this.#localAddress = parts.localAddress;
    this.#retryMs = parts.retryMs;
    this.#onOpen = parts.onOpen;
  }

  /** Resolves once the first attempt was made. */
  async open(): Promise<void> {
    try {
      const opened = await FrameSocket.open(this.#address, { localAddress: this.#localAddress });
      opened.start({
        onStreamFrame: () => undefined,
        onGoAway: () => undefined,
        onLost: () => {
          this.socket = undefined;
          void this.open();
        },
      });
      this.connections++;
      this.#onOpen(opened);
      this.socket = opened;
    } catch {
      this.refused++;
      setTimeout(() => void this.open(), this.#retryMs);
    }
  }
}
