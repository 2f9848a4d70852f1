import { PerformanceObserver } from 'node:perf_hooks';
import type { Answer } from './orders.ts';

/** Pauses of the main thread for garbage, in ms, since they were asked for last. */
export interface Pauses {
  /** Collections of the young generation, which stop the thread. */
  readonly young: { readonly count: number; readonly totalMs: number; readonly maxMs: number };
  /** All others, of which the steps that stop the thread count. */
  readonly old: { readonly count: number; readonly totalMs: number; readonly maxMs: number };
}

/** Order that asks for the pauses. */
export const ASK_FOR_PAUSES = 'pauses';

const YOUNG = 1;
const none = () => ({ count: 0, totalMs: 0, maxMs: 0 });
let pauses = { young: none(), old: none() };

// Loaded before a server, beside which it notes what garbage costs.
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const { duration, detail } = entry as typeof entry & { readonly detail: { readonly kind: number } };
    const kind = detail.kind === YOUNG ? pauses.young : pauses.old;
    kind.count++;
    kind.totalMs += duration;
    kind.maxMs = Math.max(kind.maxMs, duration);
  }
}).observe({ entryTypes: ['gc'] });

process.on('message', (message) => {
  if (message !== ASK_FOR_PAUSES) return;
  process.send?.({ result: pauses } satisfies Answer<Pauses>);
  pauses = { young: none(), old: none() };
});
// A listener alone is no reason to go on.
process.channel?.unref();
