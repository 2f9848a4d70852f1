import { expect, it } from '@jest/globals';
import { LedgerHealth } from './ledger-health.ts';

const COMMITTED = { kind: 'committed', size: 1, durationMs: 1, queued: 0 } as const;
const FAILED = { kind: 'commitFailed', size: 1, durationMs: 1, cause: undefined } as const;
const OVERDUE = { kind: 'refused', why: 'overdue' } as const;

function outcomes() {
  const clock = { ms: 0 };
  return { clock, ledger: new LedgerHealth(() => clock.ms) };
}

it('takes one failed commit for an accident, and two in a row for a ledger that fails', () => {
  const { ledger } = outcomes();
  ledger.note(FAILED);
  expect(ledger.failing).toBe(false);
  ledger.note(FAILED);
  expect(ledger.failing).toBe(true);
  ledger.note(COMMITTED);
  expect(ledger.failing).toBe(false);
  ledger.note(FAILED);
  expect(ledger.failing).toBe(false);
});

it('counts what is rejected because a commit is overdue, not what is because the queue is full', () => {
  const { ledger } = outcomes();
  for (let calls = 0; calls < 5; calls++) ledger.note({ kind: 'refused', why: 'full' });
  expect(ledger.failing).toBe(false);
  ledger.note(FAILED);
  ledger.note(OVERDUE);
  expect(ledger.failing).toBe(true);
});

it('gets another chance after ten seconds, and only one', () => {
  const { ledger, clock } = outcomes();
  ledger.note(FAILED);
  ledger.note(FAILED);
  clock.ms = 9999;
  expect(ledger.failing).toBe(true);
  clock.ms = 10_000;
  expect(ledger.failing).toBe(false);
  ledger.note(FAILED);
  expect(ledger.failing).toBe(true);
});
