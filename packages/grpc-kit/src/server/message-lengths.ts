/** The length prefix of a message: one byte of flags, four of length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
const PREFIX_BYTES = 5;

/**
 * Follows the messages in the bytes of one call, as they come, so that one that is too long is known from its prefix and not
 * when all of it is in memory.
 */
export class MessageLengths {
  readonly #maxBytes: number;
  /** Bytes of the message under way that have not come. */
  #left = 0;
  #prefixBytes = 0;
  #length = 0;

  /** @param maxBytes of one message. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes what has come; `false` when a message in it is longer than allowed. */
  take(chunk: Uint8Array): boolean {
    for (let at = 0; at < chunk.length;) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      // The first byte has the flags, which do not count.
      if (this.#prefixBytes > 0) this.#length = this.#length * 256 + (chunk[at] as number);
      at++;
      if (++this.#prefixBytes < PREFIX_BYTES) continue;
      if (this.#length > this.#maxBytes) return false;
      this.#left = this.#length;
      this.#prefixBytes = this.#length = 0;
    }
    return true;
  }
}
