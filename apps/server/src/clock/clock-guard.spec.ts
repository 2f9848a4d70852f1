import { describe, expect, it } from '@jest/globals';
import { ClockGuard } from './clock-guard.ts';

function guarded() {
  const clock = { wall: 1_000_000, monotonic: 5000 };
  const reported: string[] = [];
  const guard = new ClockGuard({
    source: { wallMs: () => clock.wall, monotonicMs: () => clock.monotonic },
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
  return { guard, reported, pass };
}

describe('ClockGuard', () => {
  it('trusts a clock that goes on as time does, however long nobody looked', () => {
    const { guard, reported, pass } = guarded();
    for (const ms of [0, 250, 250, 3_600_000]) pass(ms);
    expect([guard.trusted, guard.offsetMs, reported]).toEqual([true, 0, []]);
  });

  it.each([
    ['forward', 2001],
    ['backward', -3_600_000],
  ])('does not trust a clock that was set %s, until it has been steady', (direction, stepMs) => {
    const { guard, reported, pass } = guarded();
    pass(250, stepMs);
    expect([guard.trusted, guard.trustedInMs, guard.offsetMs]).toEqual([false, 10_000, stepMs]);
    pass(9999);
    expect([guard.trusted, guard.trustedInMs]).toEqual([false, 1]);
    pass(1);
    expect([guard.trusted, guard.trustedInMs, guard.offsetMs]).toEqual([true, 0, 0]);
    expect(reported).toEqual([`${direction} ${stepMs}`, 'trusted']);
  });

  it('waits anew after each further step', () => {
    const { guard, reported, pass } = guarded();
    pass(250, 5000);
    pass(9000, -5000);
    pass(9000);
    expect(guard.trusted).toBe(false);
    pass(1000);
    expect(guard.trusted).toBe(true);
    expect(reported).toEqual(['forward 5000', 'backward -5000', 'trusted']);
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
    expect([guard.trusted, reported]).toEqual([true, [expect.stringMatching(/^forward 20\d\d$/), 'trusted']]);
  });

  it('does not take slewing, or a moment between two readings, for running away after a step', () => {
    const { guard, reported, pass } = guarded();
    pass(250, -3000);
    for (let quarters = 0; quarters < 39; quarters++) pass(250, quarters % 2 === 0 ? 40.1 : -39.9);
    expect(guard.trusted).toBe(false);
    pass(250);
    expect([guard.trusted, reported]).toEqual([true, ['backward -3000', 'trusted']]);
  });
});
