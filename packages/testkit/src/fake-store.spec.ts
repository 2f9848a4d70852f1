import { describe, expect, it } from '@jest/globals';
import { FakeDatabase } from './fake-database.ts';
import { FakeStore } from './fake-store.ts';
import { sampleEntry } from './sample-entry.ts';
import { storeConformance } from './store-conformance.ts';

storeConformance('the fake store', async () => {
  const database = new FakeDatabase();
  return { open: async () => new FakeStore(database), remove: async () => undefined };
});

describe('the fake store', () => {
  it('fails the next record alone', async () => {
    const store = new FakeStore();
    store.failNextRecord();
    await expect(store.record(sampleEntry())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    expect(store.entries).toHaveLength(0);
    await expect(store.record(sampleEntry())).resolves.toEqual({ outcome: 'recorded' });
  });

  it('keeps the next record waiting until it is released', async () => {
    const store = new FakeStore();
    const release = store.hangNextRecord();
    const record = store.record(sampleEntry());
    expect(await Promise.race([record, Promise.resolve('waiting')])).toBe('waiting');
    release();
    expect(await record).toEqual({ outcome: 'recorded' });
  });

  it('refuses everything while it is down', async () => {
    const store = new FakeStore();
    store.setDown(true);
    await expect(store.record(sampleEntry())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await expect(store.stateVersion()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    store.setDown(false);
    await expect(store.probe()).resolves.toBeUndefined();
  });
});
