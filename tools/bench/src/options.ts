import { parseArgs } from 'node:util';
import type { PartRounds } from './part.ts';

/** Parts of the benchmark, in the order in which they run. */
export const PARTS = [
  'encryption',
  'server',
  'batch',
  'coalesce',
  'secure',
  'edge',
  'sampling',
  'instances',
  'scale',
  'replay',
  'latency-sqlite',
  'latency-postgres',
  'latency-edge',
  'causes',
] as const;

/** One of {@link PARTS}. */
export type Part = (typeof PARTS)[number];

/** Sizes of the parts `scale` and `replay`. */
export interface Scale {
  readonly fewDestinations: number;
  readonly manyDestinations: number;
  /** Entries in the long ledger. */
  readonly entries: number;
}

/** Options of the benchmark: parts, durations and output files. */
export interface BenchOptions {
  readonly parts: readonly Part[];
  readonly encryption: PartRounds;
  readonly servers: PartRounds;
  readonly latency: { readonly measured: number; readonly durationMs: number };
  readonly scale: Scale;
  readonly jsonFile: string;
  /** True if the tables of README are written. */
  readonly writeReadme: boolean;
  /** True if a missed target is an error. */
  readonly check: boolean;
}

/** Usage text. */
export const USAGE = `Usage: npm run bench -- [options]
  --only PART      one part, and those whose names go on with a hyphen; repeatable. Parts:
                   ${PARTS.join(' ')}
  --rounds N       rounds that count
  --seconds S      duration of a round
  --quick          few, short rounds: a first impression, not for the record
  --json FILE      file of the figures; default artifacts/bench.json. Parts that do not run keep those they have there
  --write-readme   writes the tables of README.md from that file
  --check          exits with 1 when a target is not met`;

const LONG = {
  encryption: { measured: 15, warmUpAtMost: 15, roundMs: 100 },
  // The server's code takes some ten thousand calls until the engine has settled on how to run it.
  servers: { measured: 9, warmUpAtMost: 15, roundMs: 1500 },
  latency: { measured: 5, durationMs: 4000 },
  scale: { fewDestinations: 10, manyDestinations: 100_000, entries: 1_000_000 },
};
const QUICK = {
  encryption: { measured: 5, warmUpAtMost: 6, roundMs: 50 },
  servers: { measured: 3, warmUpAtMost: 6, roundMs: 500 },
  latency: { measured: 2, durationMs: 1500 },
  scale: { fewDestinations: 10, manyDestinations: 1000, entries: 20_000 },
};

/** Reads the command line. Throws an Error with a text for the user when it makes no sense. */
export function parseOptions(args: readonly string[], defaults: { jsonFile: string }): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string', default: defaults.jsonFile },
      'write-readme': { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
    },
  });
  const sizes = values.quick ? QUICK : LONG;
  const measured = values.rounds === undefined ? {} : { measured: atLeastOne('rounds', values.rounds) };
  const ms = values.seconds === undefined ? undefined : 1000 * positive('seconds', values.seconds);
  return {
    parts: chosen(values.only),
    encryption: { ...sizes.encryption, ...measured },
    servers: { ...sizes.servers, ...measured, ...(ms !== undefined && { roundMs: ms }) },
    latency: { ...sizes.latency, ...measured, ...(ms !== undefined && { durationMs: ms }) },
    scale: sizes.scale,
    jsonFile: values.json,
    writeReadme: values['write-readme'],
    check: values.check,
  };
}

function chosen(only: readonly string[]): readonly Part[] {
  if (only.length === 0) return PARTS;
  const isOf = (part: Part, name: string) => part === name || part.startsWith(`${name}-`);
  for (const name of only) {
    if (!PARTS.some((part) => isOf(part, name)))
      throw new Error(`--only takes ${PARTS.join(', ')}; not ${name}`);
  }
  return PARTS.filter((part) => only.some((name) => isOf(part, name)));
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} takes a number above 0, not ${text}`);
  return value;
}

function atLeastOne(name: string, text: string): number {
  const value = positive(name, text);
  if (!Number.isInteger(value)) throw new Error(`--${name} takes a whole number, not ${text}`);
  return value;
}
