import { join, resolve } from 'node:path';
import { makePrograms } from '@callpass/testkit/programs';
import { measureBatch } from './batch-part.ts';
import { measureCoalesce } from './coalesce-part.ts';
import { measureEdge } from './edge-part.ts';
import { measureEncryption } from './encryption-part.ts';
import { measureInstances } from './instances-part.ts';
import { measureCauses } from './latency/causes.ts';
import { measureLatency, measureLatencyOfEdge, measureLatencyOnPostgres } from './latency/measure-latency.ts';
import { latencyTable } from './latency/report.ts';
import { type BenchOptions, parseOptions, type Part, USAGE } from './options.ts';
import type { PartFigures } from './part.ts';
import { writeReadme } from './readme.ts';
import { measureReplay } from './replay-part.ts';
import { asText, barTable, comparisonTable, isMissed, thisMachine } from './report.ts';
import { gather, merge, type PartResult, readResults, writeResults } from './results.ts';
import { measureSampling } from './sampling-part.ts';
import { measureScale } from './scale-part.ts';
import { measureSecure } from './secure-part.ts';
import { measureServer } from './server-part.ts';

/** The program `npm run bench`: measures, prints tables, writes everything as JSON. */
const ROOT = join(import.meta.dirname, '../../..');

type Measurement = (options: BenchOptions, progress: (text: string) => void) => Promise<PartFigures>;

const MEASUREMENTS: Readonly<Record<Part, Measurement>> = {
  encryption: measureEncryption,
  server: measureServer,
  batch: measureBatch,
  coalesce: measureCoalesce,
  secure: measureSecure,
  edge: measureEdge,
  sampling: measureSampling,
  instances: measureInstances,
  scale: measureScale,
  replay: measureReplay,
  'latency-sqlite': measureLatency,
  'latency-postgres': measureLatencyOnPostgres,
  'latency-edge': measureLatencyOfEdge,
  causes: measureCauses,
};

function readOptions(): BenchOptions {
  try {
    return parseOptions(process.argv.slice(2), { jsonFile: join(ROOT, 'artifacts/bench.json') });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
    process.exit(2);
  }
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

const options = readOptions();
makePrograms();
const file = resolve(options.jsonFile);
const machine = thisMachine();
const parts: Partial<Record<Part, PartResult>> = {};
for (const part of options.parts) {
  const figures = await MEASUREMENTS[part](options, progress);
  parts[part] = { ...figures, date: new Date().toISOString() };
  // What was measured by then is kept if a later part fails.
  writeResults(file, merge(readResults(file), { machine, parts }));
}
const figures = Object.values(parts);
const { rows, latency, bars } = gather(figures);
const sections = [
  `${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}, ${new Date().toISOString()}`,
  ...(rows.length > 0 ? [asText(comparisonTable(rows))] : []),
  ...(latency.length > 0 ? [asText(latencyTable(latency))] : []),
  ...(bars.length > 0 ? [asText(barTable(bars))] : []),
  'Ratios are taken within interleaved rounds; in parentheses the interval that holds the median in 95 of 100 cases.',
  figures.flatMap(({ remarks }) => remarks).join('\n'),
];
process.stdout.write(`\n${sections.join('\n\n')}\n`);
progress(`figures: ${file}`);
if (options.writeReadme) writeReadme(join(ROOT, 'README.md'), readResults(file) ?? { machine, parts });
if (options.check && isMissed({ rows, latency, bars })) process.exitCode = 1;
