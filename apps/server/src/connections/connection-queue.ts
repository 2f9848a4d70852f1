import type { ConnectionLimits } from './peer-bounds.ts';

/** Connection of a peer. */
export interface PeerConnection {
  readonly peer: string;
}

/**
 * Connections in the order in which they were added, altogether and of each peer. Beyond its limits, where it has some, the
 * oldest has to give way, and not the newest.
 */
export class ConnectionQueue<Connection extends PeerConnection> {
  readonly #max: number;
  readonly #maxPerPeer: number;
  readonly #all = new Set<Connection>();
  readonly #ofPeer = new Map<string, Set<Connection>>();

  constructor({ max, maxPerPeer }: ConnectionLimits = { max: Infinity, maxPerPeer: 0 }) {
    this.#max = max;
    this.#maxPerPeer = maxPerPeer || Infinity;
  }

  /** Adds a connection. Returns the one that has to give way, which stays counted until {@link delete}. */
  add(connection: Connection): Connection | undefined {
    const { peer } = connection;
    const own = this.#ofPeer.get(peer) ?? new Set();
    const oldest =
      own.size >= this.#maxPerPeer
        ? this.oldest(peer)
        : this.#all.size >= this.#max
          ? this.oldest()
          : undefined;
    this.#all.add(connection);
    this.#ofPeer.set(peer, own.add(connection));
    return oldest;
  }

  /** Removes a connection, where it is there. */
  delete(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    const own = this.#ofPeer.get(connection.peer);
    own?.delete(connection);
    if (own?.size === 0) this.#ofPeer.delete(connection.peer);
  }

  /** The oldest of all, or of one peer; `undefined` where there is none. */
  oldest(peer?: string): Connection | undefined {
    const [oldest] = (peer === undefined ? this.#all : this.#ofPeer.get(peer)) ?? [];
    return oldest;
  }
}
