/** Limits on connections that are open at a time. */
export interface ConnectionLimits {
  /** Altogether. */
  readonly max: number;
  /** Of one peer; 0 for any number. */
  readonly maxPerPeer: number;
}

/** Counts places that are taken, altogether and by each peer: open connections, or what else each may have a number of. */
export class PlaceCounter {
  readonly #limits: ConnectionLimits;
  readonly #ofPeer = new Map<string, number>();
  #open = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get open(): number {
    return this.#open;
  }

  /** Takes a place, or gives the limit that is reached: that of the peer where both are. */
  take(peer: string): 'total' | 'peer' | undefined {
    const { max, maxPerPeer } = this.#limits;
    const own = this.#ofPeer.get(peer) ?? 0;
    // First its own: who has all of them takes no place from others.
    if (maxPerPeer > 0 && own >= maxPerPeer) return 'peer';
    if (this.#open >= max) return 'total';
    this.#open++;
    this.#ofPeer.set(peer, own + 1);
    return undefined;
  }

  /** Gives a place back. */
  leave(peer: string): void {
    this.#open--;
    const own = (this.#ofPeer.get(peer) ?? 0) - 1;
    if (own > 0) this.#ofPeer.set(peer, own);
    else this.#ofPeer.delete(peer);
  }
}

/** Burst: seconds' worth of resets that may be spent at once. */
const BURST_SECONDS = 5;

interface Bucket {
  left: number;
  atMs: number;
  spent: boolean;
}

/**
 * Token bucket of each peer: calls that it may begin and reset, on all of its connections together. The HTTP/2 library
 * counts too, but anew for each connection, so that a peer would only have to connect again.
 */
export class TokenBuckets {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param perSecond 0 for any number. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#burst = perSecond * BURST_SECONDS;
  }

  /** Peers that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one; `false` when the peer has none left. `nowMs` is monotonic. */
  take(peer: string, nowMs: number): boolean {
    if (this.#perSecond === 0) return true;
    let bucket = this.#buckets.get(peer);
    if (bucket === undefined) {
      bucket = { left: this.#burst, atMs: nowMs, spent: false };
      this.#buckets.set(peer, bucket);
    }
    bucket.left = this.#leftOf(bucket, nowMs);
    bucket.atMs = nowMs;
    bucket.spent = bucket.left < 1;
    if (bucket.spent) return false;
    bucket.left--;
    return true;
  }

  /** Counts those that a peer has taken and has not back yet. */
  taken(peer: string, nowMs: number): number {
    const bucket = this.#buckets.get(peer);
    return bucket === undefined ? 0 : this.#burst - this.#leftOf(bucket, nowMs);
  }

  /** Tests that a peer had none left, and has not yet what it may take in a second. */
  isSpent(peer: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(peer);
    return bucket !== undefined && bucket.spent && this.#leftOf(bucket, nowMs) < this.#perSecond;
  }

  /** Forgets the peers that have all of theirs again, so that memory is bounded by those that reset lately. */
  forgetRested(nowMs: number): void {
    for (const [peer, bucket] of this.#buckets) {
      if (this.#leftOf(bucket, nowMs) >= this.#burst) this.#buckets.delete(peer);
    }
  }

  #leftOf({ left, atMs }: Bucket, nowMs: number): number {
    return Math.min(this.#burst, left + ((nowMs - atMs) / 1000) * this.#perSecond);
  }
}

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
