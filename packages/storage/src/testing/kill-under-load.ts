import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect } from '@jest/globals';
import { chainFaults, sampleEntries } from './chains.ts';
import { startChild } from './child.ts';
import type { SuiteDatabase } from './suite-database.ts';

/** Kills a process that records without pause three times, and asserts that all it had acknowledged is there, in one chain. */
export async function expectNothingLostByKills(database: SuiteDatabase): Promise<void> {
  const acknowledged: string[] = [];
  for (let round = 1; round <= 3; round++) {
    const afterLines = 500 + Math.floor(Math.random() * 500);
    acknowledged.push(...(await killUnderLoad(database, `round-${round}`, afterLines)));
  }
  const entries = await sampleEntries(await database.open());
  const recorded = new Set(entries.map((entry) => entry.issuanceId));
  expect(acknowledged.length).toBeGreaterThanOrEqual(1_500);
  expect(acknowledged.filter((id) => !recorded.has(id))).toEqual([]);
  expect(chainFaults(entries)).toEqual([]);
}

/** Starts a process that records without pause, kills it with SIGKILL, and gives the ids that it had acknowledged. */
async function killUnderLoad(
  { url, sealKey }: Pick<SuiteDatabase, 'url' | 'sealKey'>,
  prefix: string,
  afterLines: number,
): Promise<string[]> {
  const child = startChild('load-child.ts', [url, Buffer.from(sealKey).toString('hex'), prefix]);
  const acknowledged: string[] = [];
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  lines.on('line', (line) => {
    if (line !== 'ready') acknowledged.push(line);
    if (acknowledged.length === afterLines) child.kill('SIGKILL');
  });
  await Promise.all([once(child, 'exit'), once(lines, 'close')]);
  return acknowledged;
}
