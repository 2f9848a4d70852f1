import { rmSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { sampleEntry } from '@callpass/testkit';
import { openStore, readSealKey, storeFile } from '../index.ts';
import { chainFaults, sampleEntries } from './chains.ts';

/** A process whose store loses its thread in the middle of a record and in between: URL, key-encryption key. */
const [url, sealKey] = process.argv.slice(2) as [string, string];
const threads: Worker[] = [];
process.on('worker', (worker) => threads.push(worker));

const store = await openStore({ url, sealKey: readSealKey(sealKey), migrate: true });
await store.record(sampleEntry({ issuanceId: 'before' }));

// More than the thread can answer before it ends.
const asked = Array.from({ length: 5_000 }, () => store.stateVersion());
const lost = Promise.allSettled(asked);
await threads[0]?.terminate();
const last = (await lost).at(-1);
const outcome = last?.status === 'rejected' ? (last.reason as { code?: string }).code : last?.value;

await store.record(sampleEntry({ issuanceId: 'after' }));
await threads[1]?.terminate();
const version = await store.stateVersion();

const entries = await sampleEntries(store);
const ids = entries.map((entry) => entry.issuanceId);
const started = threads.length;

// The thread after one that migrated must not make a store where there is none any more.
const file = storeFile(url);
await threads[2]?.terminate();
if (file !== undefined) for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
const withoutStore = await store.stateVersion().then(String, (error: { code?: string }) => error.code);

process.stdout.write(
  JSON.stringify({ outcome, version, ids, faults: chainFaults(entries), threads: started, withoutStore }),
);
await store.close();
