import { createCredentialClient } from '@callpass/client';

/** Request of the benchmark to this process: so many callers, each of whom asks again when it has its answer. */
export interface ClientOrder {
  readonly callers: number;
  readonly durationMs: number;
}

/** Response of this process. */
export type ClientReport =
  { readonly perSecond: number; readonly units: number; readonly p50Ms: number } | { readonly error: string };

/**
 * The program of a service that uses `@callpass/client`. Arguments: the address, the destination, and `coalesce` if issues are
 * to share RPCs. One order, one report, until the benchmark goes away.
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
  const sorted = Float64Array.from(latencies).sort();
  const p50Ms = sorted[sorted.length >>> 1] ?? NaN;
  return { perSecond: latencies.length / seconds, units: latencies.length, p50Ms };
}

process.on('message', (order: ClientOrder) => {
  call(order).then(
    (report) => process.send?.(report),
    (error: unknown) => process.send?.({ error: String(error) } satisfies ClientReport),
  );
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
