import { LimiterError } from '@callpass/domain';
import { expect, it } from '@jest/globals';
import { FakeLimiter } from './fake-limiter.ts';
import { limiterConformance } from './limiter-conformance.ts';
import { SteppingClock } from './stepping-clock.ts';

limiterConformance('the fake limiter', async () => {
  const clock = new SteppingClock();
  return {
    limiter: new FakeLimiter(),
    now: () => clock.now(),
    pass: async (ms) => {
      clock.step(ms);
    },
    remove: () => undefined,
  };
});

it('the fake limiter is unavailable when it is set to, and comes back', async () => {
  const limiter = new FakeLimiter();
  limiter.setDown(true);
  await expect(limiter.take([], 0)).rejects.toThrow(LimiterError);
  await expect(limiter.peek([], 0)).rejects.toThrow(LimiterError);
  limiter.setDown(false);
  expect(await limiter.take([], 0)).toMatchObject({ allowed: true });
});
