import type { ConnectionLimits } from './peer-bounds.ts';

/** The least share: a service opens some connections at once, and so does a test that starts many. */
const LEAST_SHARE = 16;
/** Part of the places that may be without a finished handshake, altogether and of those of one peer. */
const PART = 4;

const shareOf = (places: number) => Math.max(LEAST_SHARE, Math.floor(places / PART));

/** Connection in a handshake. */
export interface HandshakingConnection {
  readonly peer: string;
}

/**
 * Connections whose handshake is not finished. They have a share of the places: a quarter of all, and a quarter of those of one
 * peer. An honest client finishes at once, so beyond a share the oldest has to give way, and not the newest.
 */
export class Handshakes<Connection extends HandshakingConnection> {
  readonly #max: number;
  readonly #maxPerPeer: number;
  /** In the order of their beginnings, as are those of each peer. */
  readonly #all = new Set<Connection>();
  readonly #ofPeer = new Map<string, Set<Connection>>();

  constructor({ max, maxPerPeer }: ConnectionLimits) {
    this.#max = shareOf(max);
    this.#maxPerPeer = maxPerPeer === 0 ? Infinity : shareOf(maxPerPeer);
  }

  /** Adds a connection. Returns the one that has to give way, which stays counted until {@link end}. */
  begin(connection: Connection): Connection | undefined {
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

  /** Removes a connection: its handshake is finished, or it is closed. */
  end(connection: Connection): void {
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
