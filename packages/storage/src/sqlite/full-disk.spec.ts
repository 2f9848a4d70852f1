import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '@callpass/domain';
import { verifyLedger } from '@callpass/domain';
import { canRun, sampleEntry, throwawayKey } from '@callpass/testkit';
import { migrateStore, openStore, type CommitEvent } from '../index.ts';

const NOW_MS = 1_800_000_000_000;
const MIB = 1024 * 1024;

/** A disk of its own needs the right to mount one. */
function mountDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
}

const disk = mountDisk();

const runs = canRun(disk !== undefined, 'this user may not mount a disk', 'a store on a full disk');

(runs ? describe : describe.skip)('a store on a full disk', () => {
  const folder = disk as string;
  const sealKey = throwawayKey();
  const url = `sqlite:${join(folder, 'store.db')}`;
  const causes: string[] = [];
  let store: Store;
  const onEvent = (event: CommitEvent) => {
    if (event.kind === 'commitFailed') causes.push(String((event.cause as Error).cause));
  };

  beforeEach(async () => {
    await migrateStore({ url, sealKey });
    store = await openStore({ url, sealKey, onEvent, limits: { reserveBytes: 32 * MIB } });
  });
  afterEach(async () => {
    await store.close();
    execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  });

  it('refuses grants and names the cause, still freezes and removes, gets smaller, and goes on by itself', async () => {
    const issue = (timeMs: number) => store.record(sampleEntry({ timeMs, reason: 'x'.repeat(8000) }));
    let granted = 0;
    for (let refused = false; !refused;) {
      const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => issue(NOW_MS)));
      granted += outcomes.filter(({ status }) => status === 'fulfilled').length;
      refused = outcomes.some(({ status }) => status === 'rejected');
    }
    // To the last entry that fits.
    while (
      await issue(NOW_MS).then(
        () => true,
        () => false,
      )
    )
      granted++;
    expect(granted).toBeGreaterThan(1000);
    expect(causes[0]).toMatch(/SQLITE_FULL \(ENOSPC\): no room for .*store\.db, \d+ bytes are free/);

    const freeze = {
      scope: { kind: 'DESTINATION', value: 'support' },
      ...{ reason: 'incident', freezeTimeMs: NOW_MS, untilMs: undefined, frozenBy: 'ops' },
    } as const;
    const frozen = sampleEntry({ kind: 'FROZEN', realm: '', destination: 'support', timeMs: NOW_MS });
    await store.record(frozen, { change: { kind: 'freeze', freeze } });
    expect((await store.loadState()).freezes).toEqual([freeze]);
    await expect(issue(NOW_MS)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });

    const file = url.slice('sqlite:'.length);
    const before = statSync(file).size;
    const entry = { kind: 'ENTRIES_REMOVED', timeMs: NOW_MS + 2, client: 'ops' } as const;
    expect(await store.removeEntries({ beforeTimeMs: NOW_MS + 1, entry })).toBeGreaterThanOrEqual(granted);
    expect(statSync(file).size).toBeLessThan(before / 4);

    let tries = 0;
    while (
      tries++ < 200 &&
      (await issue(NOW_MS + 3).then(
        () => false,
        () => true,
      ))
    )
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(tries).toBeLessThan(200);
    expect((await verifyLedger(store)).faults).toEqual([]);
  }, 30_000);
});
