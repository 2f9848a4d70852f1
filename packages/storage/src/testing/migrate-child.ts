import { migrateStore, readSealKey } from '../index.ts';

/** A process that migrates a store and prints what it applied: URL, key-encryption key. */
const [url, sealKey] = process.argv.slice(2) as [string, string];
const { applied } = await migrateStore({ url, sealKey: readSealKey(sealKey) });
process.stdout.write(applied.join('\n'));
