import type { Store } from '@callpass/domain';
import { MACHINES_WITHIN_MS, type ClockReference, type ClockSource } from './clock-guard.ts';

/** A look that takes longer does not tell the time closely enough. */
const MAX_LOOK_MS = MACHINES_WITHIN_MS / 2;

/** Distance that wall and monotonic clock may seem to part while a look goes on. */
const UNMOVED_WITHIN_MS = 50;

/**
 * Looks at the times that the store knows. `undefined` where the look took too long or the wall clock was set meanwhile.
 *
 * @throws {StoreError} when the store does not answer.
 */
export async function readReference(
  source: ClockSource,
  store: Pick<Store, 'readTimes'>,
): Promise<ClockReference | undefined> {
  const [wallMs, startedAtMs] = [source.wallMs(), source.monotonicMs()];
  const { databaseMs, elsewhere, laterIssueMs } = await store.readTimes(wallMs);
  const tookMs = source.monotonicMs() - startedAtMs;
  const movedMs = source.wallMs() - wallMs - tookMs;
  if (tookMs > MAX_LOOK_MS || Math.abs(movedMs) > UNMOVED_WITHIN_MS) return undefined;
  return {
    readAtMs: startedAtMs,
    databaseOffsetMs: databaseMs === undefined ? undefined : wallMs + tookMs / 2 - databaseMs,
    elsewhere,
    ledgerLeadMs: laterIssueMs === undefined ? 0 : laterIssueMs - wallMs,
  };
}
