import { freeBytes, type CommitEvent } from '@callpass/storage';
import { ATTR_LEDGER_OUTCOME, METRICS, type Instruments } from '@callpass/telemetry';
import type { Settings } from '../settings/schema.ts';

const COMMITTED = Object.freeze({ [ATTR_LEDGER_OUTCOME]: 'committed' });
const FAILED = Object.freeze({ [ATTR_LEDGER_OUTCOME]: 'failed' });
const NO_LABELS = Object.freeze({});

/** Measures the room on the disk of a store in a file. */
export function measureDisk(make: Instruments, { store }: Pick<Settings, 'store'>): void {
  make.gauge(METRICS.storeFree, () => freeBytes(store.url));
}

/** Measures the commits that the store reports. */
export function createLedgerMetrics(make: Instruments): (event: CommitEvent) => void {
  const duration = make.histogram(METRICS.ledgerCommitDuration);
  const entries = make.histogram(METRICS.ledgerCommitEntries);
  const rejected = make.counter(METRICS.ledgerTurnedAway);
  // From the start at zero: a rate is of a rise, and the first of all would not be one.
  for (const why of ['full', 'overdue', 'closed']) rejected(why);
  return (event) => {
    switch (event.kind) {
      case 'committed':
        duration.record(event.durationMs / 1000, COMMITTED);
        entries.record(event.size, NO_LABELS);
        break;
      case 'commitFailed':
        duration.record(event.durationMs / 1000, FAILED);
        break;
      case 'refused':
        rejected(event.why).add();
        break;
    }
  };
}
