import { ConnectionQueue, type PeerConnection } from './connection-queue.ts';
import type { ConnectionLimits } from './peer-bounds.ts';

/** The least share: a service opens some connections at once, and so does a test that starts many. */
const LEAST_SHARE = 16;
/** Part of the places that may be without a finished handshake, altogether and of those of one peer. */
const PART = 4;

const shareOf = (places: number) => Math.max(LEAST_SHARE, Math.floor(places / PART));

/**
 * Connections whose handshake is not finished. They have a share of the places: a quarter of all, and a quarter of those of one
 * peer. An honest client finishes at once, so beyond a share the oldest has to give way, and not the newest.
 */
export class Handshakes<Connection extends PeerConnection> {
  readonly #max: number;
  readonly #maxPerPeer: number;
  readonly #queue = new ConnectionQueue<Connection>();

  constructor({ max, maxPerPeer }: ConnectionLimits) {
    this.#max = shareOf(max);
    this.#maxPerPeer = maxPerPeer === 0 ? Infinity : shareOf(maxPerPeer);
  }

  /** Adds a connection. Returns the one that has to give way, which stays counted until {@link end}. */
  begin(connection: Connection): Connection | undefined {
    const { peer } = connection;
    const oldest =
      this.#queue.sizeOf(peer) >= this.#maxPerPeer
        ? this.oldest(peer)
        : this.#queue.size >= this.#max
          ? this.oldest()
          : undefined;
    this.#queue.add(connection);
    return oldest;
  }

  /** Removes a connection: its handshake is finished, or it is closed. */
  end(connection: Connection): void {
    this.#queue.delete(connection);
  }

  /** The oldest of all, or of one peer; `undefined` where there is none. */
  oldest(peer?: string): Connection | undefined {
    return this.#queue.oldest(peer);
  }
}
