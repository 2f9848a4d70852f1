/** A read that was let through. */
export type PassedRead = Readonly<Record<never, never>>;

/**
 * Lets reads through as long as the store answers. Once one was not answered in time, the store is silent: it is asked by one
 * read at a time until one is answered, and all others are refused at once instead of waiting for the same silence.
 */
export class ReadGate {
  #silent = false;
  #probe: PassedRead | undefined;

  /** Lets a read through; `undefined` while the store is silent and another read is finding out if it still is. */
  pass(): PassedRead | undefined {
    if (this.#probe !== undefined) return undefined;
    const read: PassedRead = {};
    if (this.#silent) this.#probe = read;
    return read;
  }

  /** The store has answered, in time or with a result. */
  answered(): void {
    this.#silent = false;
    this.#probe = undefined;
  }

  /** A read was not answered in time. */
  timedOut(read: PassedRead): void {
    this.#silent = true;
    if (this.#probe === read) this.#probe = undefined;
  }
}
