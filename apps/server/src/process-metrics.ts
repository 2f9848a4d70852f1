import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { droppedLogLines } from '@callpass/program/log';
import { METRICS, type Instruments } from '@callpass/telemetry';

const WINDOW_MS = 10_000;
const NANOSECONDS = 1e9;

/** Measures the process itself. Gives a function that ends it. */
export function measureProcess(make: Instruments, version: string): () => void {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  let last = { p99: 0, max: 0, busy: 0 };
  let since = performance.eventLoopUtilization();
  // In windows of its own, so that two collectors do not take each other's figures away.
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    last = {
      p99: delay.percentile(99) / NANOSECONDS,
      max: delay.max / NANOSECONDS,
      busy: performance.eventLoopUtilization(now, since).utilization,
    };
    since = now;
    delay.reset();
  }, WINDOW_MS).unref();

  make.gauge(METRICS.eventLoopDelay, () => last.p99);
  make.gauge(METRICS.eventLoopDelayMax, () => last.max);
  make.gauge(METRICS.eventLoopUtilization, () => last.busy);
  make.gauge(METRICS.memoryUsage, () => process.memoryUsage.rss());
  make.gauge(METRICS.uptime, () => process.uptime());
  make.gauge(METRICS.buildInfo, () => [[1, version, process.versions.node]]);
  make.total(METRICS.logLinesDropped, () => [[droppedLogLines()]]);
  make.total(METRICS.cpuTime, () => {
    const { user, system } = process.cpuUsage();
    return [
      [user / 1e6, 'user'],
      [system / 1e6, 'system'],
    ];
  });
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
