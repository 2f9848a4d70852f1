import { setTimeout as pause } from 'node:timers/promises';
import type { LedgerEntry, LedgerStore } from '@callpass/domain';

const PAGE = 500;

/**
 * New entries as they are written, on any instance, from now until the signal aborts or `beforeEach`, which is asked before
 * each look into the store, throws. Follows each chain by its own count: so
 * none is missed, whatever the order in which instances commit.
 */
export async function* tailEntries(
  store: Pick<LedgerStore, 'listChains' | 'readChain'>,
  options: { pollIntervalMs: number; signal: AbortSignal; beforeEach: () => Promise<void> },
): AsyncGenerator<LedgerEntry> {
  const { pollIntervalMs, signal, beforeEach } = options;
  const seen = new Map((await store.listChains()).map(({ writerId, end }) => [writerId, end.sequence]));
  while (!signal.aborted) {
    await beforeEach();
    for (const { writerId, anchor, end } of await store.listChains()) {
      let afterSequence = seen.get(writerId) ?? anchor.sequence;
      while (afterSequence < end.sequence && !signal.aborted) {
        const entries = await store.readChain({ writerId, afterSequence, limit: PAGE });
        yield* entries;
        afterSequence = entries.at(-1)?.sequence ?? end.sequence;
      }
      seen.set(writerId, afterSequence);
    }
    await pause(pollIntervalMs, undefined, { signal }).catch(() => undefined);
  }
}
