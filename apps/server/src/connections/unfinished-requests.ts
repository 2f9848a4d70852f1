/**
 * Bytes of requests that have not come whole yet, by peer. Nothing else counts them: a call is admitted, recognised and
 * given a deadline when its message is complete, and until then anybody may fill memory with it.
 */
export class UnfinishedRequests {
  readonly #maxBytes: number;
  readonly #ofPeer = new Map<string, number>();

  /** @param maxBytes of all requests of one peer. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Counts bytes that have come; `false` when they are more than the peer may have here. */
  add(peer: string, bytes: number): boolean {
    const all = (this.#ofPeer.get(peer) ?? 0) + bytes;
    this.#ofPeer.set(peer, all);
    return all <= this.#maxBytes;
  }

  /** Lets go of bytes that were counted. */
  release(peer: string, bytes: number): void {
    const left = (this.#ofPeer.get(peer) ?? 0) - bytes;
    if (left > 0) this.#ofPeer.set(peer, left);
    else this.#ofPeer.delete(peer);
  }
}
