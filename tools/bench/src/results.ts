import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { BenchRow } from './comparison.ts';
import type { LatencyRow } from './latency/latency-row.ts';
import type { Part } from './options.ts';
import type { Bar, PartFigures } from './part.ts';
import type { Machine } from './report.ts';

/** Figures of one machine: the last ones of each part, since a whole run takes longer than a machine is quiet. */
export interface Results {
  readonly machine: Machine;
  readonly parts: Partial<Record<Part, PartResult>>;
}

/** Figures of a part, and the time when they were taken. */
export interface PartResult extends PartFigures {
  /** ISO 8601, UTC. */
  readonly date: string;
}

/** Puts the new parts in the place of those before; those of another machine are gone. */
export function merge(before: Results | undefined, now: Results): Results {
  if (JSON.stringify(before?.machine) !== JSON.stringify(now.machine)) return now;
  return { machine: now.machine, parts: { ...before?.parts, ...now.parts } };
}

/** Rows of some parts together, the calibrations last, and their latencies. */
export function gather(parts: readonly PartFigures[]): {
  readonly rows: readonly BenchRow[];
  readonly latency: readonly LatencyRow[];
  readonly bars: readonly Bar[];
} {
  return {
    rows: [...parts.flatMap(({ rows }) => rows), ...parts.flatMap(({ calibration = [] }) => calibration)],
    latency: parts.flatMap(({ latency = [] }) => latency),
    bars: parts.flatMap(({ bars = [] }) => bars),
  };
}

/** Reads a file of results; `undefined` if there is none. */
export function readResults(file: string): Results | undefined {
  try {
    // JSON has no NaN: what was not measured is null there.
    return JSON.parse(readFileSync(file, 'utf8'), (_, value: unknown) => value ?? NaN) as Results;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes a file of results. */
export function writeResults(file: string, results: Results): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}
