import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LimitCheck, Limiter } from '@callpass/domain';

/** Limiter of one test, with its own counters. */
export interface ConformanceLimiter {
  readonly limiter: Limiter;
  /** Clock of the limiter. */
  now(): number;
  /** Advances the limiter's time by milliseconds. */
  pass(ms: number): Promise<void>;
  remove(): Promise<void> | void;
}

/** Conformance tests of the limiter port. Every limiter must pass them. */
export function limiterConformance(name: string, openFresh: () => Promise<ConformanceLimiter>): void {
  describe(`${name} keeps the limiter's promises`, () => {
    let counters: ConformanceLimiter;
    let scope: string;

    beforeEach(async () => {
      counters = await openFresh();
      scope = randomUUID();
    });
    afterEach(() => counters.remove());

    const check = (key: string, changes: Partial<LimitCheck> = {}): LimitCheck => ({
      name: `limits[0] per ${key}`,
      key: `${key}/${scope}`,
      max: 3,
      windowMs: 60_000,
      shadow: false,
      whenUnavailable: 'REFUSE',
      ...changes,
    });
    const take = (...checks: LimitCheck[]) => Promise.resolve(counters.limiter.take(checks, counters.now()));
    const taken = async (...checks: LimitCheck[]) =>
      (await counters.limiter.peek(checks, counters.now())).map((reading) => reading.taken);

    it('grants as many as the limit says, and then says which limit it was and until when', async () => {
      const limit = check('DESTINATION');
      for (const count of [1, 2, 3]) {
        expect(await take(limit)).toMatchObject({
          allowed: true,
          readings: [{ check: limit, taken: count }],
        });
      }
      const refused = await take(limit);
      expect(refused).toMatchObject({ allowed: false, limit, readings: [{ taken: 3 }] });
      const retryAfterMs = refused.allowed ? 0 : refused.retryAfterMs;
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(limit.windowMs);
    });

    it('grants exactly the maximum of many at once, whatever a second limit refuses meanwhile', async () => {
      const shared = check('OVERALL', { max: 100 });
      const full = check('SUBJECT', { max: 1 });
      await take(full);
      const outcomes = await Promise.all(
        Array.from({ length: 500 }, (_, index) => (index % 2 === 0 ? take(shared) : take(shared, full))),
      );
      expect(outcomes.filter(({ allowed }) => allowed)).toHaveLength(100);
      expect(await taken(shared, full)).toEqual([100, 1]);
    });

    it('counts nothing of what is refused, in whatever order the limits stand', async () => {
      const [full, other] = [check('SUBJECT', { max: 1 }), check('REALM')];
      await take(full);
      expect(await take(other, full)).toMatchObject({ allowed: false, limit: full });
      expect(await take(full, other)).toMatchObject({ allowed: false, limit: full });
      expect(await taken(full, other)).toEqual([1, 0]);
    });

    it('counts a shadow limit beyond its maximum and refuses nothing for it', async () => {
      const shadow = check('DESTINATION', { max: 1, shadow: true });
      for (const count of [1, 2, 3]) {
        expect(await take(shadow)).toMatchObject({ allowed: true, readings: [{ taken: count }] });
      }
    });

    it('names the limit to wait for longest', async () => {
      const [short, long] = [check('A', { max: 1 }), check('B', { max: 1, windowMs: 3_600_000 })];
      await take(short, long);
      const refused = await take(short, long);
      expect(refused).toMatchObject({ allowed: false, limit: long });
      expect(refused.allowed ? 0 : refused.retryAfterMs).toBeGreaterThan(60_000);
    });

    it('begins a window with the first that is taken, and ends it on time: what RetryInfo said is true', async () => {
      const limit = check('CLIENT', { max: 1, windowMs: 1000 });
      await take(limit);
      const refused = await take(limit);
      await counters.pass(refused.allowed ? 0 : refused.retryAfterMs);
      expect(await taken(limit)).toEqual([0]);
      expect(await take(limit)).toMatchObject({ allowed: true, readings: [{ taken: 1 }] });
      expect(await take(limit)).toMatchObject({ allowed: false });
    });

    it('counts windows of 31 days, longer than timers go', async () => {
      const limit = check('SUBJECT', { max: 1, windowMs: 31 * 86_400_000 });
      await take(limit);
      await counters.pass(20);
      const refused = await take(limit);
      expect(refused).toMatchObject({ allowed: false });
      expect(refused.allowed ? 0 : refused.retryAfterMs).toBeGreaterThan(30 * 86_400_000);
    });

    it('keeps what was counted when the maximum changes', async () => {
      await take(check('REALM', { max: 3 }));
      await take(check('REALM', { max: 3 }));
      expect(await take(check('REALM', { max: 2 }))).toMatchObject({ allowed: false });
      expect(await take(check('REALM', { max: 3 }))).toMatchObject({ allowed: true });
    });

    it('looks without counting', async () => {
      const limit = check('OVERALL');
      expect(await taken(limit)).toEqual([0]);
      await take(limit);
      expect(await taken(limit, check('CLIENT'))).toEqual([1, 0]);
      expect(await taken(limit)).toEqual([1]);
    });
  });
}
