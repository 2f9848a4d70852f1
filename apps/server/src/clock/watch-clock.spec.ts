import { setTimeout as pause } from 'node:timers/promises';
import { StoreError, type StoreTimes } from '@callpass/domain';
import type { Logger } from '@callpass/program/log';
import { migrateStore, openStore } from '@callpass/storage';
import type { Instruments, Reading } from '@callpass/telemetry';
import { throwawayKey } from '@callpass/testkit';
import { postgresServer } from '@callpass/testkit/postgres-server';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SYSTEM_CLOCKS, watchClock, type TrustedClock } from './watch-clock.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 2, 2, 10);
const SETTINGS = { maxStep: 2000, steadyAfter: 10_000, confirmedAt: undefined };

function recorder() {
  const logged: string[] = [];
  const gauges = new Map<string, () => Iterable<Reading> | number | undefined>();
  const log =
    (level: string) =>
    (_: unknown, text = _ as string) =>
      void logged.push(`${level}: ${text.split(':')[0]}`);
  return {
    logged,
    log: { warn: log('warn'), error: log('error') } as unknown as Logger,
    make: {
      counter: () => () => ({ add: () => undefined }),
      gauge: (row, read) => void gauges.set(row.name, read),
    } as Pick<Instruments, 'counter' | 'gauge'> as Instruments,
    gauge: (name: string) => gauges.get(name)?.(),
  };
}

describe('a watched clock', () => {
  const clocks = { wall: START_MS, monotonic: 1000 };
  const source = { wallMs: () => clocks.wall, monotonicMs: () => clocks.monotonic, sleptMs: () => 0 };
  let database: { clock: number | undefined; laterIssueMs: number | undefined; away: boolean };
  let recorded: ReturnType<typeof recorder>;
  let watched: (TrustedClock & { stop(): void }) | undefined;

  beforeEach(() => {
    jest.useFakeTimers();
    clocks.wall = START_MS;
    database = { clock: START_MS, laterIssueMs: undefined, away: false };
    recorded = recorder();
  });
  afterEach(() => {
    watched?.stop();
    jest.useRealTimers();
  });

  const store = {
    readTimes: async (): Promise<StoreTimes> => {
      if (database.away) throw new StoreError('STORE_UNAVAILABLE', 'away');
      return { databaseMs: database.clock, elsewhere: true, laterIssueMs: database.laterIssueMs };
    },
  };
  const watch = async (confirmedAt?: number) => {
    watched = await watchClock({ clock: { ...SETTINGS, confirmedAt } }, { source, store, ...recorded });
    return watched;
  };
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) {
      clocks.wall += 250;
      clocks.monotonic += 250;
      if (database.clock !== undefined) database.clock += 250;
      await jest.advanceTimersByTimeAsync(250);
    }
  };

  it('an hour off the database is not trusted, says so once, and is trusted again when it is corrected', async () => {
    const clock = await watch();
    clocks.wall += HOUR_MS;
    await pass(120_000);
    expect(clock.doubt).toBe('DATABASE_DIFFERS');
    expect(() => clock.assertTrusted()).toThrow(expect.objectContaining({ reason: 'CLOCK_UNTRUSTED' }));
    expect(recorded.gauge('callpass.clock.trusted')).toBe(0);
    expect(recorded.gauge('callpass.clock.difference')).toEqual([
      [3600, 'database'],
      [-0, 'ledger'],
    ]);
    clocks.wall -= HOUR_MS;
    await pass(12_000);
    expect(clock.trusted).toBe(true);
    expect(recorded.logged).toEqual([
      'error: the clock has stepped',
      'error: the clock differs from the clock of the database',
      'error: the clock has stepped',
      'warn: the clock is steady and confirmed',
    ]);
  });

  it('that was set right by a step is trusted once the database agrees', async () => {
    clocks.wall -= 1500;
    const clock = await watch();
    clocks.wall += 3000;
    await pass(9000);
    expect(clock.doubt).toBe('STEPPED');
    await pass(3000);
    expect(clock.trusted).toBe(true);
  });

  it('stays untrusted where there is no other clock, or none that answers', async () => {
    database.clock = undefined;
    const clock = await watch();
    clocks.wall += HOUR_MS;
    await pass(60_000);
    expect(clock.doubt).toBe('UNCONFIRMED');
    expect(recorded.logged.at(-1)).toBe('error: the clock is steady, but nothing shows that it is right');
    database.away = true;
    await pass(60_000);
    expect(clock.doubt).toBe('UNCONFIRMED');
    expect(recorded.gauge('callpass.clock.difference')).toEqual([]);
  });

  it('that is wrong from the start is not trusted, unless an operator has just said what time it is', async () => {
    database.clock = START_MS - HOUR_MS;
    database.laterIssueMs = START_MS + HOUR_MS;
    for (const [confirmedAt, trusted] of [
      [undefined, false],
      [START_MS - HOUR_MS, false],
      [START_MS + HOUR_MS, false],
      [START_MS - 60_000, true],
    ] as const) {
      watched?.stop();
      expect([confirmedAt, (await watch(confirmedAt)).trusted]).toEqual([confirmedAt, trusted]);
    }
    expect(recorded.logged.at(-1)).toBe(
      'warn: the clock is trusted on the word of an operator (clock.confirmedAt)',
    );
  });

  it('does not start where the store gives no times', async () => {
    database.away = true;
    await expect(watch()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

it('an hour off PostgreSQL after a step is not trusted while it is steady, and is when PostgreSQL agrees', async () => {
  const server = await postgresServer();
  const options = { url: (await server.freshDatabase()).url, sealKey: throwawayKey() };
  await migrateStore(options);
  const store = await openStore(options);
  let stepMs = 0;
  const source = { ...SYSTEM_CLOCKS, wallMs: () => Date.now() + stepMs };
  const clock = await watchClock(
    { clock: { ...SETTINGS, steadyAfter: 1000 } },
    { source, store, ...recorder() },
  );
  try {
    expect(clock.trusted).toBe(true);
    stepMs = HOUR_MS;
    await pause(2500);
    expect(clock.doubt).toBe('DATABASE_DIFFERS');
    stepMs = 0;
    while (!clock.trusted) await pause(50);
  } finally {
    clock.stop();
    await store.close();
    await server.remove();
  }
});
