import { createCredentialClient } from '@callpass/client';
import { median } from '../statistics.ts';
import { takeOrders } from './orders.ts';

/** Order to this process: so many callers, each of whom asks again when it has its answer. */
export interface ClientOrder {
  readonly callers: number;
  readonly durationMs: number;
}

/** Answer of this process. */
export interface ClientReport {
  readonly perSecond: number;
  readonly units: number;
  readonly p50Ms: number;
}

/**
 * The program of a service that uses `@callpass/client`. Arguments: the address, the destination, and `coalesce` if issues are
 * to share RPCs.
 */
const [address = '', destination = '', coalesce = ''] = process.argv.slice(2);
const client = createCredentialClient({ address, coalesce: coalesce === 'coalesce', retry: false });

async function call({ callers, durationMs }: ClientOrder): Promise<ClientReport> {
  const latencies: number[] = [];
  const startMs = performance.now();
  const askInTurn = async () => {
    for (let nowMs = performance.now(); nowMs - startMs < durationMs;) {
      await client.issueCredentials({ destination });
      const endMs = performance.now();
      latencies.push(endMs - nowMs);
      nowMs = endMs;
    }
  };
  await Promise.all(Array.from({ length: callers }, askInTurn));
  const seconds = (performance.now() - startMs) / 1000;
  return { perSecond: latencies.length / seconds, units: latencies.length, p50Ms: median(latencies) };
}

takeOrders(call);
