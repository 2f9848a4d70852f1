const BIN_MS = 0.05;
const BINS = 200_000;

/** Latencies up to 10 s, counted in steps of 0.05 ms, so that a long run takes no more memory than a short one. */
export class Latencies {
  readonly #bins = new Uint32Array(BINS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(ms: number): void {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(ms / BIN_MS)));
    this.#bins[bin] = (this.#bins[bin] as number) + 1;
    this.#count++;
  }

  /** The latency that this share of the calls did not exceed, in ms; NaN without calls. */
  percentile(share: number): number {
    if (this.#count === 0) return NaN;
    const rank = Math.ceil(share * this.#count);
    let seen = 0;
    for (let bin = 0; bin < BINS; bin++) {
      seen += this.#bins[bin] as number;
      if (seen >= rank) return (bin + 1) * BIN_MS;
    }
    return BINS * BIN_MS;
  }
}

/** Latencies of one kind of answer in ms, from when the call was due to its answer. NaN without calls. */
export interface LatencyFigures {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Sums latencies up. */
export function figuresOf(latencies: Latencies): LatencyFigures {
  return {
    count: latencies.count,
    p50: latencies.percentile(0.5),
    p99: latencies.percentile(0.99),
    p999: latencies.percentile(0.999),
    max: latencies.percentile(1),
  };
}
