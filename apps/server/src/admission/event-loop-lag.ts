import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop is. */
export interface EventLoopLag {
  /** By how many ms, on average, a timer came too late since the last call. */
  takeMs(): number;
  stop(): void;
}

const RESOLUTION_MS = 10;

/**
 * Watches the event loop. Under load each turn of it takes what has arrived since the last one, so its lag is also how
 * long a request has waited in the socket, where nothing of ours can see it.
 */
export function watchEventLoop(): EventLoopLag {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return {
    takeMs() {
      const meanMs = histogram.mean / 1e6;
      histogram.reset();
      return Number.isNaN(meanMs) ? 0 : Math.max(0, meanMs - RESOLUTION_MS);
    },
    stop: () => void histogram.disable(),
  };
}
