/** Bytes written for each ping: its answer. */
const PONG_BYTES = 17;

/** Pings that come too soon and are forgiven. */
const STRIKES = 2;

/**
 * Finds a client that pings more often than it may, as gRPC servers see it: too soon after the last ping is a strike, and
 * the strikes are wiped out once something else than answers to pings was sent to it. So a client may ping as it likes to
 * measure how fast answers arrive, and cannot make the server work by pings alone.
 */
export class PingStrikes {
  readonly #minIntervalMs: number;
  #strikes = 0;
  #lastMs = -Infinity;
  #pings = 0;
  #writtenBytes = 0;

  constructor(minIntervalMs: number) {
    this.#minIntervalMs = minIntervalMs;
  }

  /**
   * Counts a ping; `false` when it is one too many.
   *
   * @param nowMs of a monotonic clock.
   * @param writtenBytes all that was written to the client so far.
   */
  count(nowMs: number, writtenBytes: number): boolean {
    if (writtenBytes - this.#writtenBytes > this.#pings * PONG_BYTES) {
      this.#strikes = this.#pings = 0;
      this.#writtenBytes = writtenBytes;
      this.#lastMs = -Infinity;
    }
    this.#pings++;
    if (nowMs - this.#lastMs < this.#minIntervalMs) this.#strikes++;
    this.#lastMs = nowMs;
    return this.#strikes <= STRIKES;
  }
}
