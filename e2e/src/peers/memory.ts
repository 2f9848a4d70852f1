import { readFileSync } from 'node:fs';

const PAGE_BYTES = 4096;
const MIB = 1024 * 1024;
const EVERY_MS = 100;

/** Resident memory of a process, watched from now on. */
export interface WatchedMemory {
  /** The most since it was asked last, in MiB. */
  peak(): number;
  stop(): void;
}

/** Watches a process, as Linux counts it. */
export function watchMemory(pid: number): WatchedMemory {
  let most = 0;
  const look = () => {
    const [, resident] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
    most = Math.max(most, (Number(resident) * PAGE_BYTES) / MIB);
  };
  const timer = setInterval(look, EVERY_MS);
  return {
    peak() {
      look();
      const peak = most;
      most = 0;
      return peak;
    },
    stop() {
      clearInterval(timer);
    },
  };
}
