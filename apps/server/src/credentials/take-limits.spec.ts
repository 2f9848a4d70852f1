import type { LimitCheck } from '@callpass/domain';
import { FakeLimiter } from '@callpass/testkit';
import { describe, expect, it } from '@jest/globals';
import type { Refusal } from '../errors/refusal.ts';
import { takeLimits, unenforcedRule } from './take-limits.ts';

const check = (name: string, changes: Partial<LimitCheck> = {}): LimitCheck => ({
  name,
  key: name,
  max: 1,
  windowMs: 60_000,
  shadow: false,
  whenUnavailable: 'REFUSE',
  ...changes,
});
const allow = check('allow', { whenUnavailable: 'ALLOW' });
const shadow = check('shadow', { shadow: true });

const SCOPE = { destination: 'support', nowMs: 0, metrics: { limited: () => undefined } };

function away(): FakeLimiter {
  const limiter = new FakeLimiter();
  limiter.setDown(true);
  return limiter;
}

const refusalOf = (checks: LimitCheck[], limiter = away()) =>
  Promise.resolve(takeLimits(limiter, checks, SCOPE)).then(
    () => undefined,
    (error: unknown) => ({ reason: (error as Refusal).reason, rule: (error as Refusal).details.rule }),
  );

describe('while the counters are out of reach', () => {
  it.each([
    ['a limit that refuses', [check('refuse')], 'refuse'],
    ['a limit that refuses among others that allow', [allow, shadow, check('refuse'), allow], 'refuse'],
  ])('%s refuses, and is the rule', async (_, checks, rule) => {
    expect(await refusalOf(checks)).toEqual({ reason: 'LIMITER_UNAVAILABLE', rule });
  });

  it.each([
    ['limits that all allow', [allow, allow]],
    ['shadow limits, whatever they say', [shadow, check('s', { shadow: true, whenUnavailable: 'REFUSE' })]],
    ['shadow limits and others that allow', [allow, shadow]],
  ])('%s grant without counting, and the ledger is told', async (_, checks) => {
    const readings = await takeLimits(away(), checks, SCOPE);
    expect(readings.map(({ taken }) => taken)).toEqual(checks.map(() => undefined));
    expect(unenforcedRule(readings)).toBe(`uncounted ${checks[0]?.name}`);
  });

  it('a destination without limits does not ask', async () => {
    expect(await takeLimits(away(), [], SCOPE)).toEqual([]);
  });
});

describe('while they are in reach', () => {
  it('a full limit refuses, whatever it says for the time when it cannot be counted', async () => {
    const limiter = new FakeLimiter();
    await takeLimits(limiter, [allow], SCOPE);
    expect(await refusalOf([allow], limiter)).toEqual({ reason: 'LIMIT_EXCEEDED', rule: 'allow' });
  });

  it('a shadow limit that would have refused is told to the ledger, and nothing is where all hold', async () => {
    const limiter = new FakeLimiter();
    expect(unenforcedRule(await takeLimits(limiter, [shadow], SCOPE))).toBe('');
    expect(unenforcedRule(await takeLimits(limiter, [shadow], SCOPE))).toBe('shadow shadow');
  });
});
