/** Connection of a peer. */
export interface PeerConnection {
  readonly peer: string;
}

/** Connections in the order in which they were added, altogether and of each peer. */
export class ConnectionQueue<Connection extends PeerConnection> {
  readonly #all = new Set<Connection>();
  readonly #ofPeer = new Map<string, Set<Connection>>();

  get size(): number {
    return this.#all.size;
  }

  /** Counts the connections of a peer. */
  sizeOf(peer: string): number {
    return this.#ofPeer.get(peer)?.size ?? 0;
  }

  add(connection: Connection): void {
    const { peer } = connection;
    this.#all.add(connection);
    this.#ofPeer.set(peer, (this.#ofPeer.get(peer) ?? new Set()).add(connection));
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
