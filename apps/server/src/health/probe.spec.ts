import { expect, it } from '@jest/globals';
import { OUTAGE_LOOKS } from './health-of.ts';
import { Probe } from './probe.ts';

/** A probe whose questions are answered by hand, and how many were asked. */
function byHand() {
  const open: PromiseWithResolvers<void>[] = [];
  const probe = new Probe(() => {
    const question = Promise.withResolvers<void>();
    open.push(question);
    return question.promise;
  });
  const answered = async () => {
    const looked = probe.look();
    open.at(-1)?.resolve();
    await looked;
  };
  return { probe, open, answered };
}

it('has missed everything until the first answer', async () => {
  const { probe, answered } = byHand();
  expect(probe.misses).toBe(Infinity);
  await answered();
  expect(probe.misses).toBe(0);
});

it('counts failures in a row, also those that are thrown at once, and starts anew with an answer', async () => {
  let fails = false;
  const probe = new Probe(() => {
    if (fails) throw new Error('away');
  });
  await probe.look();
  fails = true;
  await probe.look();
  await probe.look();
  expect(probe.misses).toBe(2);
  fails = false;
  await probe.look();
  expect(probe.misses).toBe(0);
});

it('counts each look that finds the question open, and asks no second one meanwhile', async () => {
  const { probe, open, answered } = byHand();
  await answered();
  const first = probe.look();
  await probe.look();
  await probe.look();
  expect([probe.misses, open.length]).toEqual([2, 2]);
  open[1]?.resolve();
  await first;
  expect(probe.misses).toBe(0);
});

it('takes an answer that comes after an outage for none: the next one tells', async () => {
  const { probe, open, answered } = byHand();
  await answered();
  const first = probe.look();
  for (let looks = 0; looks < OUTAGE_LOOKS; looks++) await probe.look();
  open[1]?.resolve();
  await first;
  expect(probe.misses).toBe(OUTAGE_LOOKS);
  await answered();
  expect(probe.misses).toBe(0);
});
