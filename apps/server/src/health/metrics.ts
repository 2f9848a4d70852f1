import { METRICS, type Instruments, type Reading } from '@callpass/telemetry';
import type { ServerHealth } from './health-of.ts';

/** Measures what the server can do now, and which of the things that it works with answer. */
export function measureHealth(make: Instruments, watch: { readonly current: ServerHealth }): void {
  make.gauge(METRICS.ready, () => Number(watch.current.issuing));
  make.gauge(METRICS.dependencyUp, () =>
    Object.entries(watch.current.up).map(([dependency, up]): Reading => [Number(up), dependency]),
  );
}
