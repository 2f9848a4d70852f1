import { describe, expect, it } from '@jest/globals';
import { fullLimit, LimiterError, refusingUncounted, uncounted } from './limiter.ts';
import type { LimitCheck } from './limits.ts';

const check = (name: string, changes: Partial<LimitCheck> = {}): LimitCheck => ({
  name,
  key: name,
  max: 2,
  windowMs: 60_000,
  shadow: false,
  whenUnavailable: 'REFUSE',
  ...changes,
});

describe('fullLimit', () => {
  it('is the enforced limit that is full and makes wait for longest', () => {
    const readings = [
      { check: check('free'), taken: 1, resetAfterMs: 9000 },
      { check: check('full'), taken: 2, resetAfterMs: 10 },
      { check: check('longer'), taken: 2, resetAfterMs: 20 },
      { check: check('shadow', { shadow: true }), taken: 7, resetAfterMs: 9000 },
    ];
    expect(fullLimit(readings)?.check.name).toBe('longer');
    expect(fullLimit(readings.filter(({ check: { name } }) => !/full|longer/.test(name)))).toBeUndefined();
  });

  it('is full when it was lowered below what is taken', () => {
    expect(fullLimit([{ check: check('lowered'), taken: 5, resetAfterMs: 1 }])?.check.name).toBe('lowered');
  });

  it('is none where nothing is counted', () => {
    expect(fullLimit(uncounted([check('away')]))).toBeUndefined();
  });
});

describe('refusingUncounted', () => {
  it('is the first enforced limit that refuses; one is enough among others that allow', () => {
    const allow = check('allow', { whenUnavailable: 'ALLOW' });
    const shadow = check('shadow', { shadow: true });
    expect(refusingUncounted([allow, shadow, check('a'), check('b')])?.name).toBe('a');
    expect(refusingUncounted([allow, shadow])).toBeUndefined();
  });
});

describe('LimiterError', () => {
  it('has the code of the contract and keeps its cause', () => {
    const cause = new Error('connection lost');
    expect(new LimiterError('the limiter did not answer', { cause })).toMatchObject({
      code: 'LIMITER_UNAVAILABLE',
      cause,
    });
  });
});
