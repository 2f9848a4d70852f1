import { startSource } from './child-process.ts';

/** Receiver of the server's telemetry, in a process of its own. */
export interface TelemetrySink {
  /** Value for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  /** Throws unless traces and metrics have arrived: a server without telemetry would be measured too fast. */
  assertUsed(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a sink that takes everything and keeps nothing. */
export async function startTelemetrySink(): Promise<TelemetrySink> {
  const child = startSource(new URL('./sink-process.ts', import.meta.url));
  return {
    url: await child.ready(),
    async assertUsed() {
      const exports = await child.ask<Readonly<Record<string, number>>>({});
      for (const path of ['/v1/traces', '/v1/metrics']) {
        if (!exports[path]) throw new Error(`the server under test has sent nothing to ${path}`);
      }
    },
    stop: () => child.stop(),
  };
}
