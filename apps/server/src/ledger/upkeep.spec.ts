import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnchorProver } from '@callpass/domain';
import { migrateStore, openStore } from '@callpass/storage';
import { sampleEntry, throwawayKey } from '@callpass/testkit';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeOld, writeAnchor, type UpkeepParts } from './upkeep.ts';

const NOW_MS = 1_800_000_000_000;
const DAY_MS = 86_400_000;

describe('the upkeep of the ledger', () => {
  let folder: string;
  let parts: UpkeepParts;
  let logged: [object, string][];
  let store: Awaited<ReturnType<typeof openStore>>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'callpass-upkeep-'));
    const options = { url: `sqlite:${join(folder, 'store.db')}`, sealKey: throwawayKey() };
    await migrateStore(options);
    store = await openStore(options);
    logged = [];
    const log = (details: object, text: string) => void logged.push([details, text]);
    parts = {
      store,
      anchors: new AnchorProver(store.ledgerSecret),
      clock: { now: () => NOW_MS },
      state: { snapshot: { realms: new Map(), revision: 0 } as unknown as UpkeepParts['state']['snapshot'] },
      log: { info: log, warn: log, error: log } as unknown as UpkeepParts['log'],
    };
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  it('removes what is older than it is kept for, and records it', async () => {
    for (const days of [9, 8, 6]) await store.record(sampleEntry({ timeMs: NOW_MS - days * DAY_MS }));
    await removeOld(parts, 7 * DAY_MS);
    const kept = (await store.listEntries({ afterPosition: 0, limit: 10 })).map(({ entry }) => entry);
    expect(kept).toMatchObject([
      { timeMs: NOW_MS - 6 * DAY_MS },
      { kind: 'ENTRIES_REMOVED', client: 'retention' },
    ]);
    expect(logged).toMatchObject([[{ entries: 2 }, expect.stringContaining('removed')]]);
  });

  it('writes each anchor in the place of the one before, and into the log', async () => {
    const file = join(folder, 'anchor.json');
    await store.record(sampleEntry());
    await writeAnchor(parts, file);
    await store.record(sampleEntry());
    await writeAnchor(parts, file);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ chains: [{ lastSequence: '2' }] });
    expect(logged.map(([, text]) => text)).toEqual(['anchor of the ledger', 'anchor of the ledger']);
  });

  it('keeps an anchor that the ledger contradicts, and says so', async () => {
    const file = join(folder, 'anchor.json');
    await store.record(sampleEntry());
    await writeAnchor(parts, file);
    const later = readFileSync(file, 'utf8').replace('"lastSequence":"1"', '"lastSequence":"7"');
    writeFileSync(file, later);
    await writeAnchor(parts, file);
    expect(readFileSync(file, 'utf8')).toBe(later);
    expect(logged.at(-1)).toMatchObject([
      { faults: [expect.stringContaining('entry 7 is missing')] },
      expect.stringContaining('contradicts its last anchor'),
    ]);
  });
});
