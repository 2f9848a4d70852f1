import type { Time } from '../protocol/time.ts';

/** A clock that goes only when told, with its timers. */
export interface HandWoundTime extends Time {
  /** Goes on so many ms; what falls due on the way runs at its time. */
  advance(ms: number): void;
  /** Number of waiting timers. */
  waiting(): number;
}

/** Stands at a fixed time. */
export function handWoundTime(): HandWoundTime {
  let now = Date.UTC(2026, 0, 1);
  const timers = new Set<{ at: number; act: () => void }>();
  return {
    now: () => now,
    after(ms, act) {
      const timer = { at: now + ms, act };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
        if (next === undefined) break;
        timers.delete(next);
        now = next.at;
        next.act();
      }
      now = end;
    },
    waiting: () => timers.size,
  };
}
