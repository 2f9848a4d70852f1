import { describeError, type Logger } from '@callpass/program/log';
import type { CommitEvent } from '@callpass/storage';

/** The same cause is logged again after this time. */
const AGAIN_MS = 60_000;

/** Logs why the ledger could not be written: each cause at once, then once a minute with how often it was. */
export function logFailedCommits(
  log: Pick<Logger, 'error'>,
  store: string,
  nowMs = () => performance.now(),
): (event: CommitEvent) => void {
  let last: { readonly text: string; readonly atMs: number } | undefined;
  let failures = 0;
  return (event) => {
    if (event.kind !== 'commitFailed') return;
    failures++;
    const error = describeError(event.cause);
    const text = JSON.stringify(error);
    if (last?.text === text && nowMs() - last.atMs < AGAIN_MS) return;
    log.error({ store, error, failures }, 'the ledger cannot be written: nothing is issued');
    last = { text, atMs: nowMs() };
    failures = 0;
  };
}
