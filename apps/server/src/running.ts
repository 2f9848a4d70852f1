/**
 * Stack of what runs and has to be stopped, the last started first: `AsyncDisposableStack` of ECMAScript, as far as a start needs it,
 * with its names. Node has that from line 24 on only.
 */
export class Running {
  readonly #stops: (() => unknown)[] = [];

  /** Adds something that has been started, and how it is stopped. Returns it. */
  adopt<T>(started: T, stop: (started: T) => unknown): T {
    this.defer(() => stop(started));
    return started;
  }

  /** Adds a step of the end. */
  defer(stop: () => unknown): void {
    this.#stops.push(stop);
  }

  /** Stops all, each after the one before has stopped or failed. Rejects with the last failure; a second call stops nothing. */
  async disposeAsync(): Promise<void> {
    const failures: unknown[] = [];
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      try {
        await stop();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures.at(-1);
  }
}
