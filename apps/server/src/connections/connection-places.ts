/** How many connections may be open at a time. */
export interface ConnectionLimits {
  /** Altogether. */
  readonly max: number;
  /** Of one peer; 0 for any number. */
  readonly maxPerPeer: number;
}

/** Counts open connections, altogether and of each peer. */
export class ConnectionPlaces {
  readonly #limits: ConnectionLimits;
  readonly #ofPeer = new Map<string, number>();
  #open = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get open(): number {
    return this.#open;
  }

  /** Takes a place, or says which limit is reached. */
  take(peer: string): 'total' | 'peer' | undefined {
    const { max, maxPerPeer } = this.#limits;
    if (this.#open >= max) return 'total';
    const own = this.#ofPeer.get(peer) ?? 0;
    if (maxPerPeer > 0 && own >= maxPerPeer) return 'peer';
    this.#open++;
    this.#ofPeer.set(peer, own + 1);
    return undefined;
  }

  /** Gives back a place that was taken. */
  leave(peer: string): void {
    this.#open--;
    const own = (this.#ofPeer.get(peer) ?? 0) - 1;
    if (own > 0) this.#ofPeer.set(peer, own);
    else this.#ofPeer.delete(peer);
  }
}
