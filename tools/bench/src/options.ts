import { parseArgs } from 'node:util';
import { GENERATORS, type GeneratorName } from './load/generators.ts';
import type { Rounds } from './measure.ts';
import type { Scale } from './scale.ts';

/** The parts of the benchmark. */
export const PARTS = ['encryption', 'server', 'batch', 'secure', 'edge', 'sampling', 'scale'] as const;

/** One of {@link PARTS}. */
export type Part = (typeof PARTS)[number];

/** What to measure, how long, and where the figures go. */
export interface BenchOptions {
  readonly parts: readonly Part[];
  readonly encryption: Rounds & { readonly roundMs: number };
  readonly servers: Rounds & { readonly roundMs: number };
  readonly scale: Scale;
  readonly generator: GeneratorName;
  readonly jsonFile: string;
  /** Whether a missed target is an error. */
  readonly check: boolean;
}

/** How it is called. */
export const USAGE = `Usage: npm run bench -- [options]
  --only encryption|server|batch|secure|edge|sampling|scale   one part only
  --quick                       short rounds: a first impression, not for the record
  --generator own|h2load        load generator; default own. h2load, where it is installed, measures from a standing
                                start, and presents no client certificate: secure is always measured with our own
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
      generator: { type: 'string', default: GENERATORS[0] },
      json: { type: 'string', default: defaults.jsonFile },
      check: { type: 'boolean', default: false },
    },
  });
  const { only, generator } = values;
  if (only !== undefined && !isOneOf(PARTS, only)) throw new Error(`--only takes ${PARTS.join(', ')}`);
  if (!isOneOf(GENERATORS, generator)) throw new Error(`--generator takes ${GENERATORS.join(' or ')}`);
  return {
    parts: only === undefined ? PARTS : [only],
    ...(values.quick ? QUICK : LONG),
    generator,
    jsonFile: values.json,
    check: values.check,
  };
}

function isOneOf<T extends string>(names: readonly T[], name: string): name is T {
  return (names as readonly string[]).includes(name);
}
