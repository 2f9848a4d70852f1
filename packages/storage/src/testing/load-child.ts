import { createInterface } from 'node:readline';
import { sampleEntry, throwawayKey } from '@callpass/testkit';
import { openStore, readSealKey } from '../index.ts';

/**
 * A process that records without pause, 40 at a time, and prints a line for each outcome when it has it: the issuance
 * id, or `refused CODE`. Arguments: URL, key-encryption key, a prefix for the ids. Ends when its input ends.
 */
const [url, sealKey, prefix] = process.argv.slice(2) as [string, string, string];
const store = await openStore({ url, sealKey: readSealKey(sealKey), limits: { recordMs: 3_000 } });
let count = 0;
let going = true;
createInterface({ input: process.stdin }).on('close', () => (going = false));

async function recordOn(): Promise<void> {
  while (going) {
    const issuanceId = `${prefix}-${++count}`;
    const answer = {
      kind: 'rememberAnswer',
      client: 'web-edge',
      requestId: issuanceId,
      bodyHash: throwawayKey(),
      answer: throwawayKey(300),
      nowMs: 1,
      expireTimeMs: 2,
    } as const;
    const claims = count % 4 === 0;
    const line = await store
      .record(sampleEntry({ issuanceId }), claims ? { change: answer } : {})
      .then(() => issuanceId)
      .catch((error: { code?: string }) => `refused ${error.code}`);
    process.stdout.write(`${line}\n`);
    if (line.startsWith('refused')) await new Promise((resolve) => setImmediate(resolve));
  }
}

process.stdout.write('ready\n');
await Promise.all(Array.from({ length: 40 }, recordOn));
await store.close();
