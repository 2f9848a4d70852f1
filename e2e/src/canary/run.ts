import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { CANARIES_VARIABLE, EMITTED_VARIABLE, type Canary } from './keep.ts';
import { createScan, type Found } from './scan.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** Findings that are printed; where there are more, they are of the same kind. */
const MOST_PRINTED = 50;

/**
 * Begins a run: nothing is planted, nothing was emitted. What follows finds both by the environment. What is planted is
 * forgotten when the process ends.
 */
export function beginRun(): void {
  // Of its own, since a second run may be under way.
  const emitted = (process.env[EMITTED_VARIABLE] ??= join(ROOT, 'artifacts', 'e2e', String(process.pid)));
  rmSync(emitted, { recursive: true, force: true });
  mkdirSync(emitted, { recursive: true });
  const canaries = join(mkdtempSync(join(tmpdir(), 'callpass-canaries-')), 'canaries.jsonl');
  writeFileSync(canaries, '', { mode: 0o600 });
  process.env[CANARIES_VARIABLE] = canaries;
  process.once('exit', () => {
    rmSync(dirname(canaries), { recursive: true });
  });
}

/**
 * Ends a run: searches everything that it has emitted for everything that it has planted, and leaves the result where
 * test counts go. What was emitted stays where something was found in it.
 *
 * @throws {Error} where something planted was found, or where there was nothing to search or to find in a whole run.
 */
export function endRun({ testPathPatterns }: { testPathPatterns: { isSet(): boolean } }): void {
  const [canaryFile = '', emitted = ''] = [CANARIES_VARIABLE, EMITTED_VARIABLE].map(
    (name) => process.env[name],
  );
  const canaries = readCanaries(canaryFile);
  const scan = createScan(canaries);
  const files = readdirSync(emitted, { recursive: true, encoding: 'utf8' })
    .map((name) => join(emitted, name))
    .filter((name) => statSync(name).isFile());
  let bytes = 0;
  const found = files.flatMap((name) => {
    const content = readFileSync(name);
    bytes += content.length;
    return scan({ place: relative(ROOT, name), content });
  });
  const looked = `canary scan: ${kindsOf(canaries)} in ${files.length} files, ${bytes} bytes`;
  const wentWell = found.length === 0 && (testPathPatterns.isSet() || (canaries.length > 0 && bytes > 0));
  leaveCounts(wentWell);
  process.stderr.write(`${looked}: ${found.length} found\n${report(found)}`);
  if (wentWell) rmSync(emitted, { recursive: true });
  else throw new Error(found.length > 0 ? 'the canary scan has found secrets' : 'nothing was scanned');
}

function readCanaries(file: string): Canary[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => {
    const { what, value } = JSON.parse(line) as { what: string; value: string };
    return { what, value: Buffer.from(value, 'base64') };
  });
}

function kindsOf(canaries: readonly Canary[]): string {
  const kinds = Map.groupBy(canaries, ({ what }) => what);
  return [...kinds].map(([what, { length }]) => `${length} x ${what}`).join(', ') || 'nothing';
}

function report(found: readonly Found[]): string {
  const lines = found.map(({ what, form, place, line }) => `${place}:${line}: ${what}, ${form}\n`);
  return lines.slice(0, MOST_PRINTED).join('');
}

/** The scan counts as a test, as `tools/checks/jest-counts.mjs` counts the others. */
function leaveCounts(wentWell: boolean): void {
  const folder = process.env['CALLPASS_TEST_COUNTS'];
  if (!folder) return;
  const counts = { passed: Number(wentWell), failed: Number(!wentWell), skipped: 0 };
  writeFileSync(join(folder, `e2e-canary-scan-${process.pid}.json`), JSON.stringify(counts));
}
