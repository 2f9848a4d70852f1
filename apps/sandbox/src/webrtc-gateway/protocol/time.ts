/** The clock and the timers that the gateway runs on, so that tests can hold them. */
export interface Time {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `act` once after so many ms, unless the function it returns is called before. */
  after(ms: number, act: () => void): () => void;
}

/** The machine's own. Its timers keep no process alive. */
export const systemTime: Time = {
  now: Date.now,
  after(ms, act) {
    const timer = setTimeout(act, ms).unref();
    return () => clearTimeout(timer);
  },
};
