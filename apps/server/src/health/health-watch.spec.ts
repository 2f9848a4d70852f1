import { describe, expect, it } from '@jest/globals';
import { EMPTY_CONFIGURATION } from '@callpass/domain';
import { createHealth } from '@callpass/grpc-kit';
import { SERVICES } from '../methods.ts';
import { indexClients } from '../state/client-index.ts';
import { buildSnapshot } from '../state/snapshot.ts';
import { OUTAGE_LOOKS } from './health-of.ts';
import { HealthWatch } from './health-watch.ts';
import { LedgerHealth } from './ledger-health.ts';

const FAILED = { kind: 'commitFailed', size: 1, durationMs: 1, cause: undefined } as const;

const SNAPSHOT = buildSnapshot(
  { version: 1, revision: undefined, keys: [], freezes: [], sealedAnew: false },
  { configuration: EMPTY_CONFIGURATION, clients: indexClients([], []), destinations: new Map() },
  () => undefined,
);

/** A watch over things that answer until they are taken away. */
function watched() {
  const away = { store: false, limiter: false };
  const reported: string[] = [];
  const ledger = new LedgerHealth(() => 0);
  const answer = (name: keyof typeof away) =>
    away[name] ? Promise.reject(new Error('away')) : Promise.resolve();
  const watch = new HealthWatch({
    health: createHealth(Object.values(SERVICES)),
    log: {
      info: (_detail: unknown, text?: string) => void reported.push(`info: ${text}`),
      warn: (_detail: unknown, text?: string) => void reported.push(`warn: ${text}`),
    },
    state: { snapshot: SNAPSHOT, staleness: undefined, altered: false },
    store: { probe: () => answer('store') },
    limiter: { peek: () => answer('limiter').then(() => []) },
    ledger,
    clock: { doubt: undefined },
    authorizes: false,
  });
  const looks = async (count: number) => {
    for (let look = 0; look < count; look++) await watch.look();
  };
  return { watch, away, reported, ledger, looks };
}

describe('HealthWatch', () => {
  it('is not ready before anything has answered, and is after the warm-up', async () => {
    const { watch, reported } = watched();
    expect(watch.current).toMatchObject({ issuing: false, operating: false });
    await watch.warmUp();
    expect(watch.current.issuing).toBe(false);
    watch.start();
    watch.stop();
    expect(watch.current).toMatchObject({ issuing: true, validating: true, operating: true });
    expect(reported).toEqual(['info: all can be served']);
  });

  it('tells an outage once, and its end once; one look without an answer is none', async () => {
    const { watch, away, reported, looks } = watched();
    await watch.warmUp();
    watch.start();
    watch.stop();
    reported.length = 0;
    away.store = true;
    await looks(OUTAGE_LOOKS - 1);
    expect([watch.current.issuing, reported]).toEqual([true, []]);
    await looks(5);
    expect(watch.readiness()).toMatchObject({ ready: true, detail: { issuing: 'no', store: 'silent' } });
    away.store = false;
    await looks(1);
    expect(watch.readiness()).toMatchObject({ ready: true, detail: { issuing: 'yes', store: 'answers' } });
    expect(reported).toEqual(['warn: not everything can be served', 'info: all can be served']);
  });

  it('does not hold against a store that is back what failed while it was away', async () => {
    const { watch, away, ledger, looks } = watched();
    await watch.warmUp();
    watch.start();
    watch.stop();
    away.store = true;
    await looks(OUTAGE_LOOKS);
    ledger.note(FAILED);
    ledger.note(FAILED);
    away.store = false;
    await looks(1);
    expect(watch.current.issuing).toBe(true);
    ledger.note(FAILED);
    ledger.note(FAILED);
    await looks(1);
    expect(watch.current).toMatchObject({ issuing: false, operating: true });
  });

  it('is not ready from the moment it drains, whatever it sees then', async () => {
    const { watch, looks } = watched();
    await watch.warmUp();
    watch.start();
    watch.stop();
    watch.drain();
    expect(watch.readiness()).toMatchObject({ ready: false, detail: { serving: 'draining' } });
    await looks(1);
    expect(watch.readiness().ready).toBe(false);
  });
});
