import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { measureEdge } from './edge.ts';
import type { CpuUse } from './load-contestant.ts';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import { formatReport, isMet, thisMachine, type BenchRow } from './report.ts';
import { measureScale } from './scale.ts';
import { measureSampling } from './sampling.ts';
import { measureEncryption } from './encryption.ts';
import { measureSecure } from './secure.ts';
import { measureServers, type ServerFigures } from './servers.ts';

/** The program `npm run bench`: measures, prints a table, writes everything as JSON. */
const ROOT = join(import.meta.dirname, '../../..');

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

function describeCpu(use: CpuUse): string {
  const { name, serverCores, generatorCores, microsecondsEach, mainThreadMicrosecondsEach } = use;
  return (
    `${name}: ${serverCores.toFixed(2)} cores; CPU each: ${microsecondsEach.toFixed(1)} us, ` +
    `of it ${mainThreadMicrosecondsEach.toFixed(1)} us in the main thread` +
    (Number.isNaN(generatorCores) ? '' : ` (load generator: ${generatorCores.toFixed(2)} cores)`)
  );
}

const options = readOptions();
const machine = thisMachine(new Date());
const rows: BenchRow[] = [];
if (options.parts.includes('encryption'))
  rows.push(...(await measureEncryption(options.encryption, progress)));
let servers: ServerFigures | undefined;
if (options.parts.includes('server') || options.parts.includes('batch')) {
  servers = await measureServers(options, progress);
  rows.push(...servers.rows);
}

const remarks: string[] = [];
const secure = options.parts.includes('secure') ? await measureSecure(options, progress) : undefined;
if (secure) rows.push(...secure.rows);
const edge = options.parts.includes('edge') ? await measureEdge(options, progress) : undefined;
if (edge) rows.push(...edge.rows);
const sampling = options.parts.includes('sampling') ? await measureSampling(options, progress) : undefined;
if (sampling) rows.push(...sampling.rows);
if (options.parts.includes('scale')) {
  const scale = await measureScale({ ...options, rounds: options.servers }, progress);
  rows.push(...scale.rows);
  remarks.push(...scale.remarks);
}
if (servers) remarks.push(...servers.cpuUse.map(describeCpu));
const moreCpuUse = [...(secure?.cpuUse ?? []), ...(edge?.cpuUse ?? []), ...(sampling?.cpuUse ?? [])];
remarks.push(...moreCpuUse.map(describeCpu));
process.stdout.write(`\n${formatReport(machine, rows, remarks)}`);
const file = resolve(options.jsonFile);
mkdirSync(dirname(file), { recursive: true });
const results = rows.map((row) => ({ ...row, met: isMet(row) }));
const { encryption, servers: serverRounds } = options;
writeFileSync(
  file,
  `${JSON.stringify({ machine, rounds: { encryption, servers: serverRounds }, results, remarks, cpuUse: [...(servers?.cpuUse ?? []), ...moreCpuUse] }, null, 2)}\n`,
);
progress(`figures: ${file}`);
if (options.check && !rows.every(isMet)) process.exitCode = 1;
