import type { Socket } from 'node:net';

/** Connections of one peer and the headers that they have brought in this turn of the event loop. */
interface Reading {
  readonly sockets: Set<Socket>;
  /** Number of the turn that {@link bytes} are of. */
  turn: number;
  bytes: number;
}

/** Handle of a socket; private to Node. */
interface Handle {
  readStop?(): void;
  readStart?(): void;
}

/** Bytes of large headers that are read from one peer in a turn of the event loop. */
const MAX_BYTES_OF_TURN = 64 * 1024;

/**
 * Divides the reading of large headers into turns of the event loop. Node reads up to 2 MiB from a connection before it serves
 * the next one, so a peer that sends many large headers at once would hold up all others. After so many bytes all connections of
 * the peer are read on in the next turn only. Nothing is refused.
 */
export class ReadTurns {
  readonly #ofPeer = new Map<string, Reading>();
  readonly #paused = new Set<Reading>();
  #turn = 0;
  #isCounting = false;

  /** Adds a connection. Returns the function that removes it. */
  open(peer: string, socket: Socket): () => void {
    const reading = this.#ofPeer.get(peer) ?? { sockets: new Set(), turn: -1, bytes: 0 };
    this.#ofPeer.set(peer, reading);
    reading.sockets.add(socket);
    return () => {
      reading.sockets.delete(socket);
      if (reading.sockets.size === 0 && this.#ofPeer.get(peer) === reading) this.#ofPeer.delete(peer);
    };
  }

  /** Counts headers that have come, and stops reading from their peer where they are enough for this turn. */
  count(peer: string, bytes: number): void {
    const reading = this.#ofPeer.get(peer);
    if (reading === undefined) return;
    this.#endTurnLater();
    if (reading.turn !== this.#turn) {
      reading.turn = this.#turn;
      reading.bytes = 0;
    }
    reading.bytes += bytes;
    if (reading.bytes <= MAX_BYTES_OF_TURN || this.#paused.has(reading)) return;
    this.#paused.add(reading);
    for (const socket of reading.sockets) handleOf(socket)?.readStop?.();
  }

  #endTurnLater(): void {
    if (this.#isCounting) return;
    this.#isCounting = true;
    setImmediate(() => {
      this.#isCounting = false;
      this.#turn++;
      for (const { sockets } of this.#paused) for (const socket of sockets) handleOf(socket)?.readStart?.();
      this.#paused.clear();
    });
  }
}

function handleOf(socket: Socket): Handle | null | undefined {
  return (socket as unknown as { readonly _handle?: Handle | null })._handle;
}
