import { parseArgs } from 'node:util';
import type { Rounds } from './measure.ts';
import type { Scale } from './scale.ts';

/** The parts of the benchmark. */
export const PARTS = ['encryption', 'server', 'batch', 'secure', 'edge', 'sampling', 'scale'] as const;

/** One of {@link PARTS}. */
export type Part = (typeof PARTS)[number];

/** Options of the benchmark: parts, durations and output file. */
export interface BenchOptions {
  readonly parts: readonly Part[];
  readonly encryption: Rounds & { readonly roundMs: number };
  readonly servers: Rounds & { readonly roundMs: number };
  readonly scale: Scale;
  readonly jsonFile: string;
  /** True if a missed target is an error. */
  readonly check: boolean;
}

/** Usage text. */
export const USAGE = `Usage: npm run bench -- [options]
  --only encryption|server|batch|secure|edge|sampling|scale   one part only
  --quick                       short rounds: a first impression, not for the record
  --json FILE                   where the figures go; default artifacts/bench.json
  --check                       exit 1 when a target is missed`;

const LONG = {
  encryption: { measured: 15, warmUp: 3, roundMs: 100 },
  // The server's code takes some ten thousand calls until the engine has settled on how to run it.
  servers: { measured: 9, warmUp: 8, roundMs: 2000 },
  scale: { fewDestinations: 10, manyDestinations: 100_000, entries: 1_000_000 },
};
const QUICK = {
  encryption: { measured: 5, warmUp: 2, roundMs: 50 },
  servers: { measured: 3, warmUp: 2, roundMs: 600 },
  scale: { fewDestinations: 10, manyDestinations: 1000, entries: 20_000 },
};

/** Reads the command line. Throws an Error with a text for the user when it makes no sense. */
export function parseOptions(args: readonly string[], defaults: { jsonFile: string }): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string', default: defaults.jsonFile },
      check: { type: 'boolean', default: false },
    },
  });
  const { only } = values;
  if (only !== undefined && !isPart(only)) throw new Error(`--only takes ${PARTS.join(', ')}`);
  return {
    parts: only === undefined ? PARTS : [only],
    ...(values.quick ? QUICK : LONG),
    jsonFile: values.json,
    check: values.check,
  };
}

function isPart(name: string): name is Part {
  return (PARTS as readonly string[]).includes(name);
}
