import { setTimeout as pause } from 'node:timers/promises';
import {
  removedBeforeReason,
  type Clock,
  type EntryDraft,
  type EntryQuery,
  type LedgerEntry,
  type LedgerStore,
  type PositionedEntry,
} from '@callpass/domain';
import { traceId } from '@callpass/telemetry';
import { invalidField } from '../errors/refusal.ts';
import type { Principal } from '../state/principal.ts';
import type { Snapshot } from '../state/snapshot.ts';

const DEFAULT_PAGE = 100;

/** A page of the entries that match, and the token of the next. */
export async function listEntries(
  store: Pick<LedgerStore, 'listEntries'>,
  filter: Omit<EntryQuery, 'afterPosition' | 'limit'>,
  page: { size: number; token: string },
): Promise<{ entries: readonly PositionedEntry[]; nextToken: string }> {
  const afterPosition = page.token === '' ? 0 : Number(page.token);
  if (!Number.isSafeInteger(afterPosition) || afterPosition < 0)
    throw invalidField('page_token', 'must be the next_page_token of an answer to the same list, or empty');
  const limit = page.size || DEFAULT_PAGE;
  const entries = await store.listEntries({ ...filter, afterPosition, limit });
  const last = entries.at(-1);
  return { entries, nextToken: last && entries.length === limit ? String(last.position) : '' };
}

const TAIL_PAGE = 500;

/**
 * New entries as they are written, on any instance, from now until the signal aborts or `beforeEach`, which is asked before
 * each look into the store, throws. Follows each chain by its own count: so none is missed, whatever the order in which
 * instances commit.
 */
export async function* tailEntries(
  store: Pick<LedgerStore, 'listChains' | 'readChain'>,
  options: { pollIntervalMs: number; signal: AbortSignal; beforeEach: () => Promise<void> },
): AsyncGenerator<LedgerEntry> {
  const { pollIntervalMs, signal, beforeEach } = options;
  const seen = new Map((await store.listChains()).map(({ writerId, head }) => [writerId, head.sequence]));
  while (!signal.aborted) {
    await beforeEach();
    for (const { writerId, anchor, head } of await store.listChains()) {
      let afterSequence = seen.get(writerId) ?? anchor.sequence;
      while (afterSequence < head.sequence && !signal.aborted) {
        const entries = await store.readChain({ writerId, afterSequence, limit: TAIL_PAGE });
        yield* entries;
        afterSequence = entries.at(-1)?.sequence ?? head.sequence;
      }
      seen.set(writerId, afterSequence);
    }
    await pause(pollIntervalMs, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Removes the oldest entries up to a time.
 *
 * @throws {Refusal} `REQUEST_INVALID` while a token of that time may still be valid: its record separates a spliced token
 * from a real one, and whose it is when something is frozen.
 */
export async function removeEntries(
  dependencies: { store: Pick<LedgerStore, 'removeEntries'>; state: { snapshot: Snapshot }; clock: Clock },
  principal: Pick<Principal, 'client'>,
  beforeTimeMs: number,
): Promise<number> {
  const nowMs = dependencies.clock.now();
  const { realms, revision } = dependencies.state.snapshot;
  const longestMs = Math.max(
    0,
    ...[...realms.values()].map(({ realm }) => realm.tokenLifetimeMs + realm.maxClockSkewMs),
  );
  const latest = nowMs - longestMs;
  if (beforeTimeMs > latest) {
    throw invalidField(
      'before_time',
      `must not be after ${new Date(latest).toISOString()}: later tokens may still be valid`,
    );
  }
  const entry: EntryDraft = {
    kind: 'ENTRIES_REMOVED',
    timeMs: nowMs,
    client: principal.client,
    reason: removedBeforeReason(beforeTimeMs),
    configurationRevision: revision,
    traceId: traceId() ?? '',
  };
  return dependencies.store.removeEntries({ beforeTimeMs, entry });
}
