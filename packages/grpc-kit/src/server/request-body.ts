/** Bounds on the body of a request. */
export interface BodyBounds {
  /** Bytes of one message. */
  readonly maxMessageBytes: number;
  /** Exactly one message: unary and server-streaming methods. */
  readonly single: boolean;
}

/**
 * A fault of a body: a message above its bound, one that is compressed, or bytes that are not the messages of the method:
 * an unknown flag, a message that is cut off, none or a second one where there has to be one.
 */
export type BodyFault = 'message_too_large' | 'compressed' | 'body_invalid';

/** The length prefix of a message: one byte of flags, four of length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
const PREFIX_BYTES = 5;
const COMPRESSED = 1;

/**
 * Follows the messages in the body of a request as its bytes arrive, so that a fault is found in the first byte that shows it
 * and not when all of the body is in memory.
 */
export class RequestBody {
  readonly #bounds: BodyBounds;
  /** Bytes of the current message that have not arrived. */
  #left = 0;
  #prefixBytes = 0;
  #length = 0;
  #messages = 0;

  constructor(bounds: BodyBounds) {
    this.#bounds = bounds;
  }

  /** Takes the next bytes; returns the first fault in them. */
  take(chunk: Uint8Array): BodyFault | undefined {
    for (let at = 0; at < chunk.length;) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      const byte = chunk[at++] as number;
      if (this.#prefixBytes === 0) {
        const fault = this.#begin(byte);
        if (fault !== undefined) return fault;
      } else this.#length = this.#length * 256 + byte;
      if (++this.#prefixBytes < PREFIX_BYTES) continue;
      if (this.#length > this.#bounds.maxMessageBytes) return 'message_too_large';
      this.#left = this.#length;
      this.#prefixBytes = this.#length = 0;
    }
    return undefined;
  }

  /** Takes the end of the body. */
  end(): BodyFault | undefined {
    const isWhole = this.#left === 0 && this.#prefixBytes === 0;
    return isWhole && (this.#messages === 1 || !this.#bounds.single) ? undefined : 'body_invalid';
  }

  #begin(flags: number): BodyFault | undefined {
    if (flags === COMPRESSED) return 'compressed';
    this.#messages++;
    return flags !== 0 || (this.#bounds.single && this.#messages > 1) ? 'body_invalid' : undefined;
  }
}
