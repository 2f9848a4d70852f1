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

/** Position in each chain: the sequence of the last entry before it. */
export type Positions = ReadonlyMap<string, number>;

/** A new entry, or new positions behind entries that are not wanted. */
export type TailStep = { readonly entry: LedgerEntry } | { readonly positions: Positions };

/** Beginning, choice and end of a tail. */
export interface TailOptions {
  /** Beginning; a chain that is not named begins with its first entry. Undefined: where the chains end now. */
  readonly after: Positions | undefined;
  readonly wants: (entry: LedgerEntry) => boolean;
  /** Asked before each look into the store; the tail ends where it throws. */
  readonly beforeEach: () => Promise<void>;
  readonly pollIntervalMs: number;
  readonly signal: AbortSignal;
}

/**
 * New entries as they are written, on any instance, until the signal aborts. Follows each chain by its own count: so
 * none is missed, whatever the order in which instances commit, and another tail can begin where this one was. The first step
 * has the positions at which it begins, unless the caller has named them.
 */
export async function* tailEntries(
  store: Pick<LedgerStore, 'listChains' | 'readChain'>,
  { after, wants, beforeEach, pollIntervalMs, signal }: TailOptions,
): AsyncGenerator<TailStep> {
  const seen = new Map(
    after ?? (await store.listChains()).map(({ writerId, head }) => [writerId, head.sequence] as const),
  );
  yield { positions: new Map(after ? [] : seen) };
  while (!signal.aborted) {
    await beforeEach();
    for (const { writerId, anchor, head } of await store.listChains()) {
      let afterSequence = seen.get(writerId) ?? anchor.sequence;
      while (afterSequence < head.sequence && !signal.aborted) {
        const entries = await store.readChain({ writerId, afterSequence, limit: TAIL_PAGE });
        for (const entry of entries) if (wants(entry)) yield { entry };
        const last = entries.at(-1);
        afterSequence = last?.sequence ?? head.sequence;
        if (last === undefined || !wants(last)) yield { positions: new Map([[writerId, afterSequence]]) };
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
