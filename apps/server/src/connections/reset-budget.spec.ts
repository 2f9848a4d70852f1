import { describe, expect, it } from '@jest/globals';
import { ResetBudget } from './reset-budget.ts';

/** Takes until there is none left, and gives how many there were. */
function takeAll(budget: ResetBudget, peer: string, nowMs: number): number {
  let taken = 0;
  while (taken < 1000 && budget.take(peer, nowMs)) taken++;
  return taken;
}

describe('ResetBudget', () => {
  it('gives each peer five seconds of its rate at once, and then its rate', () => {
    const budget = new ResetBudget(5);
    expect(takeAll(budget, 'a', 0)).toBe(25);
    expect(takeAll(budget, 'b', 0)).toBe(25);
    expect(takeAll(budget, 'a', 1000)).toBe(5);
    expect(takeAll(budget, 'a', 60_000)).toBe(25);
  });

  it('calls a peer spent from when it had none left until it has those of a second', () => {
    const budget = new ResetBudget(5);
    for (let taken = 0; taken < 25; taken++) budget.take('a', 0);
    expect(budget.isSpent('a', 0)).toBe(false);
    budget.take('a', 0);
    expect(budget.isSpent('a', 999)).toBe(true);
    expect(budget.isSpent('a', 1000)).toBe(false);
    expect(budget.isSpent('b', 0)).toBe(false);
  });

  it('remembers nobody who has all of theirs again', () => {
    const budget = new ResetBudget(5);
    for (let peer = 0; peer < 100; peer++) budget.take(`peer ${peer}`, 0);
    budget.take('late', 150);
    budget.forgetRested(200);
    expect(budget.size).toBe(1);
  });

  it('has no end where there is no rate', () => {
    expect(takeAll(new ResetBudget(0), 'a', 0)).toBe(1000);
  });
});
