import { createCredentialClient } from '@callpass/client';
import type { ClientTls } from '../provision.ts';

const PER_SECOND = 100;

/** Observations of a client that does nothing wrong while others do. */
export interface Seen {
  granted: number;
  /** Calls that failed, with the error. */
  readonly failed: string[];
  /** Slowest call of a hundred, in ms. */
  readonly p99Ms: number;
}

/**
 * Asks for credentials of destination `d` 100 times a second, whether or not earlier calls have been answered.
 *
 * @param tls its certificates; plain text when left out.
 */
export function startNeighbour(
  address: string,
  tls?: ClientTls,
): {
  readonly seen: Seen;
  reached(granted: number): Promise<void>;
  stop(): Promise<Seen>;
} {
  const client = createCredentialClient({ address, retry: false, tls });
  const times: number[] = [];
  const underWay = new Set<Promise<void>>();
  const waiting: { granted: number; resolve: () => void }[] = [];
  const seen = {
    granted: 0,
    failed: [] as string[],
    get p99Ms() {
      return times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1] ?? 0;
    },
  };
  const issue = async () => {
    const start = performance.now();
    try {
      await client.issueCredentials({ destination: 'd' });
      seen.granted++;
    } catch (error) {
      seen.failed.push(String(error));
    }
    times.push(performance.now() - start);
    for (const { granted, resolve } of waiting) if (seen.granted >= granted) resolve();
  };
  const timer = setInterval(() => {
    const call = issue().finally(() => underWay.delete(call));
    underWay.add(call);
  }, 1000 / PER_SECOND);
  return {
    seen,
    reached: (granted) => new Promise((resolve) => waiting.push({ granted, resolve })),
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      client.close();
      return seen;
    },
  };
}
