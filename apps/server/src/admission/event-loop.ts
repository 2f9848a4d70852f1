import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** State of the event loop since the last look. */
export interface EventLoopWindow {
  /** By how many ms, on average, a timer came too late. */
  readonly lagMs: number;
  /** The share of the time in which it was not waiting for something to do, 0 to 1. */
  readonly busy: number;
}

/** Measures how late and how busy the event loop is. */
export interface EventLoopWatch {
  take(): EventLoopWindow;
  stop(): void;
}

const RESOLUTION_MS = 10;

/**
 * Watches the event loop. Under load each turn of it takes what has arrived since the last one, so its lag is also how
 * long a request has waited in the socket, where nothing of ours can see it.
 */
export function watchEventLoop(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let before = performance.eventLoopUtilization();
  return {
    take() {
      const meanMs = histogram.mean / 1e6;
      histogram.reset();
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return { lagMs: Number.isNaN(meanMs) ? 0 : Math.max(0, meanMs - RESOLUTION_MS), busy: utilization };
    },
    stop: () => void histogram.disable(),
  };
}
