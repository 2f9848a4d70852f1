import { MemoryLimiter, type LimitCheck } from '@callpass/domain';
import { SteppingClock } from '@callpass/testkit';
import { limiterConformance } from '@callpass/testkit/limiter-conformance';
import { expect, it } from '@jest/globals';

limiterConformance('the memory limiter', async () => {
  const clock = new SteppingClock();
  return {
    limiter: new MemoryLimiter(),
    now: () => clock.now(),
    pass: async (ms) => {
      clock.step(ms);
    },
    remove: () => undefined,
  };
});

const subject = (index: number, windowMs = 60_000): LimitCheck => ({
  name: 'limits[0] per SUBJECT',
  key: `SUBJECT/${windowMs}/support/${index}`,
  max: 5,
  windowMs,
  shadow: false,
  whenUnavailable: 'REFUSE',
});

it('forgets ended windows as others begin, so that what it holds does not grow with the visitors of a day', () => {
  const limiter = new MemoryLimiter();
  for (let index = 0; index < 100_000; index++) limiter.take([subject(index)], index);
  // In 60 s at one visitor a millisecond there are 60,000 windows under way.
  expect(limiter.size).toBeLessThanOrEqual(60_001);
});

it('holds nothing of visitors who were refused', () => {
  const limiter = new MemoryLimiter();
  const full = { ...subject(0), key: 'DESTINATION/60000/support', max: 1 };
  limiter.take([full], 0);
  for (let index = 0; index < 1000; index++) limiter.take([subject(index), full], 1);
  expect(limiter.size).toBe(1);
});

it('a clock that is set back does not make anybody wait for longer than the window', () => {
  const limiter = new MemoryLimiter();
  const limit = { ...subject(1), max: 1 };
  limiter.take([limit], 3_600_000);
  expect(limiter.take([limit], 0)).toMatchObject({ allowed: false, retryAfterMs: 60_000 });
  expect(limiter.take([limit], 60_000)).toMatchObject({ allowed: true });
});
