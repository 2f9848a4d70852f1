import { describe, expect, it } from '@jest/globals';
import { ClockGuard, type ClockReference } from './clock-guard.ts';

function guarded() {
  const clock = { wall: 1_000_000, monotonic: 5000, slept: 70 };
  const reported: string[] = [];
  const guard = new ClockGuard({
    source: { wallMs: () => clock.wall, monotonicMs: () => clock.monotonic, sleptMs: () => clock.slept },
    maxStepMs: 2000,
    steadyAfterMs: 10_000,
    events: {
      onStep: (direction, offsetMs) => reported.push(`${direction} ${offsetMs}`),
      onTrusted: () => reported.push('trusted'),
    },
  });
  /** Time goes on by `ms`, and the wall clock by so much more. */
  const pass = (ms: number, more = 0) => {
    clock.monotonic += ms;
    clock.wall += ms + more;
    guard.observe();
  };
  /** A look at the store now. */
  const look = (found: Partial<ClockReference> = {}): ClockReference => ({
    readAtMs: clock.monotonic,
    databaseOffsetMs: undefined,
    elsewhere: false,
    ledgerLeadMs: 0,
    ...found,
  });
  const sleep = (ms: number) => {
    clock.slept += ms;
    clock.wall += ms;
    guard.observe();
  };
  return { guard, reported, pass, look, sleep };
}

const HOUR_MS = 3_600_000;

describe('ClockGuard', () => {
  it('trusts a clock that goes on as time does, however long nobody looked', () => {
    const { guard, reported, pass } = guarded();
    for (const ms of [0, 250, 250, 3_600_000]) pass(ms);
    expect([guard.trusted, guard.offsetMs, reported]).toEqual([true, 0, []]);
  });

  it.each([
    ['forward', 2001],
    ['backward', -HOUR_MS],
  ])('does not trust a clock that was set %s, however long it is steady then', (direction, stepMs) => {
    const { guard, reported, pass } = guarded();
    pass(250, stepMs);
    expect([guard.doubt, guard.trustedInMs, guard.offsetMs]).toEqual(['STEPPED', 10_000, stepMs]);
    pass(9999);
    expect([guard.doubt, guard.trustedInMs]).toEqual(['STEPPED', 1]);
    for (const ms of [1, 1000, 24 * HOUR_MS]) {
      pass(ms);
      expect([guard.trusted, guard.doubt]).toEqual([false, 'UNCONFIRMED']);
    }
    expect(reported).toEqual([`${direction} ${stepMs}`]);
  });

  it('trusts it again when the step is undone and it has been steady; waits anew after each further step', () => {
    const { guard, reported, pass } = guarded();
    pass(250, HOUR_MS);
    pass(9000, -HOUR_MS);
    pass(9000);
    expect(guard.doubt).toBe('STEPPED');
    pass(1000);
    expect([guard.trusted, guard.trustedInMs, guard.offsetMs]).toEqual([true, 0, 0]);
    expect(reported).toEqual([`forward ${HOUR_MS}`, `backward -${HOUR_MS}`, 'trusted']);
  });

  it('trusts it again after the machine slept, and not when it was set in the same moment', () => {
    const { guard, pass, sleep } = guarded();
    sleep(8 * HOUR_MS);
    expect(guard.doubt).toBe('STEPPED');
    pass(10_000);
    expect(guard.trusted).toBe(true);
    sleep(HOUR_MS);
    pass(250, HOUR_MS);
    pass(10_000);
    expect(guard.doubt).toBe('UNCONFIRMED');
  });

  describe('after a step', () => {
    const stepped = () => {
      const parts = guarded();
      parts.pass(250, HOUR_MS);
      return parts;
    };

    it('trusts a clock that agrees with the one of another machine', () => {
      const { guard, pass, look } = stepped();
      pass(10_000);
      guard.compare(look({ databaseOffsetMs: 1999, elsewhere: true }));
      pass(250);
      expect(guard.trusted).toBe(true);
    });

    it('does not take the clock of this machine for another, which would have jumped along', () => {
      const { guard, pass, look } = stepped();
      pass(10_000);
      guard.compare(look({ databaseOffsetMs: 0 }));
      pass(250);
      expect(guard.doubt).toBe('UNCONFIRMED');
    });

    it('takes a clock that differed for another one, wherever it is: an hour off is never trusted, and corrected is', () => {
      const { guard, pass, look } = stepped();
      guard.compare(look({ databaseOffsetMs: HOUR_MS }));
      expect(guard.doubt).toBe('DATABASE_DIFFERS');
      for (let hours = 0; hours < 24; hours++) {
        pass(HOUR_MS);
        guard.compare(look({ databaseOffsetMs: HOUR_MS }));
        expect(guard.doubt).toBe('DATABASE_DIFFERS');
      }
      pass(250, 5000 - HOUR_MS);
      pass(10_000);
      expect(guard.doubt).toBe('UNCONFIRMED');
      guard.compare(look({ databaseOffsetMs: 5 }));
      pass(250);
      expect(guard.trusted).toBe(true);
    });

    it('does not go by a look from before it', () => {
      const { guard, pass, look } = guarded();
      guard.compare(look({ databaseOffsetMs: 0, elsewhere: true }));
      pass(250, HOUR_MS);
      pass(10_000);
      expect(guard.doubt).toBe('UNCONFIRMED');
    });

    it('does not trust a clock behind what was issued, though it agrees with the database', () => {
      const { guard, pass, look } = stepped();
      pass(10_000);
      guard.compare(look({ databaseOffsetMs: 0, elsewhere: true, ledgerLeadMs: 2001 }));
      pass(250);
      expect(guard.doubt).toBe('LEDGER_AHEAD');
    });
  });

  it('goes on trusting a clock that did not step where the other one goes wrong', () => {
    const { guard, reported, pass, look } = guarded();
    guard.compare(look({ databaseOffsetMs: 0, elsewhere: true }));
    guard.compare(look({ databaseOffsetMs: HOUR_MS, elsewhere: true, ledgerLeadMs: HOUR_MS }));
    pass(10_000);
    expect([guard.trusted, reported]).toEqual([true, []]);
  });

  it.each<[string, Partial<ClockReference>]>([
    ['differs from the database', { databaseOffsetMs: -HOUR_MS }],
    ['is behind the ledger', { ledgerLeadMs: HOUR_MS }],
  ])('does not trust a clock at the start that %s, until a look shows no difference', (_, found) => {
    const { guard, pass, look } = guarded();
    guard.compare(look(found));
    pass(HOUR_MS);
    guard.compare(look(found));
    expect(guard.trusted).toBe(false);
    pass(250, HOUR_MS);
    pass(10_000);
    expect(guard.doubt).toBe('UNCONFIRMED');
    guard.compare(look({ ...(found.databaseOffsetMs !== undefined && { databaseOffsetMs: 0 }) }));
    pass(250);
    expect(guard.trusted).toBe(true);
  });

  it('takes small corrections and slewing for what they are, for days', () => {
    const { guard, reported, pass } = guarded();
    pass(250, 1900);
    for (let minute = 0; minute < 3 * 24 * 60; minute++) pass(60_000, 30);
    expect([guard.trusted, reported]).toEqual([true, []]);
  });

  it('finds a clock that runs away without ever jumping, and does not trust it again before it is steady', () => {
    const { guard, reported, pass } = guarded();
    for (let seconds = 0; seconds < 300 && guard.trusted; seconds++) pass(1000, 50);
    expect(guard.trusted).toBe(false);
    for (let quarters = 0; quarters < 4000; quarters++) {
      pass(250, 12.5);
      expect([guard.trusted, guard.trustedInMs > 5000]).toEqual([false, true]);
    }
    pass(10_000);
    expect([guard.doubt, reported]).toEqual(['UNCONFIRMED', [expect.stringMatching(/^forward 20\d\d$/)]]);
  });

  it('does not take slewing, or a moment between two readings, for running away after a step', () => {
    const { guard, reported, pass } = guarded();
    pass(250, -3000);
    pass(250, 3000);
    for (let quarters = 0; quarters < 39; quarters++) pass(250, quarters % 2 === 0 ? 40.1 : -39.9);
    expect(guard.trusted).toBe(false);
    pass(250);
    expect([guard.trusted, reported]).toEqual([true, ['backward -3000', 'forward 3000', 'trusted']]);
  });
});
