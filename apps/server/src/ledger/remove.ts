import type { Clock, EntryDraft, LedgerStore } from '@callpass/domain';
import { traceId } from '@callpass/telemetry';
import type { Principal } from '../state/principal.ts';
import { invalidField } from '../errors/refusal.ts';
import type { Snapshot } from '../state/snapshot.ts';

/**
 * Removes the oldest entries up to a time.
 *
 * @throws {Refusal} `REQUEST_INVALID` while a token of that time may still be valid: its record is what tells a spliced token
 * from a real one, and whose it is when something is frozen.
 */
export async function removeEntries(
  dependencies: { store: Pick<LedgerStore, 'removeEntries'>; state: { snapshot: Snapshot }; clock: Clock },
  principal: Principal,
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
  const before = new Date(beforeTimeMs).toISOString();
  const entry: EntryDraft = {
    kind: 'ENTRIES_REMOVED',
    timeMs: nowMs,
    client: principal.client,
    reason: `before ${before}`,
    configurationRevision: revision,
    traceId: traceId() ?? '',
  };
  return dependencies.store.removeEntries({ beforeTimeMs, entry });
}
