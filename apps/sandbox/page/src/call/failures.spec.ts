import { describe, expect, it } from '@jest/globals';
import { ErrorReasonSchema } from '@callpass/contract';
import {
  failureOf,
  failureOfGateway,
  failureOfMicrophone,
  failureOfProblem,
  unavailable,
} from './failures.ts';

const NOW = Date.UTC(2026, 10, 25, 7);

describe('a refusal of the edge', () => {
  it.each([
    ['CLIENT_NOT_GRANTED', 403, 'refused'],
    ['CALLEE_NOT_ALLOWED', 403, 'refused'],
    ['CALLER_NOT_ALLOWED', 403, 'refused'],
    ['SUBJECT_REQUIRED', 403, 'refused'],
    ['DESTINATION_DISABLED', 403, 'refused'],
    ['FROZEN', 403, 'refused'],
    ['DESTINATION_CLOSED', 403, 'closed'],
    ['LIMIT_EXCEEDED', 429, 'limited'],
    ['OVERLOADED', 429, 'limited'],
    ['LEDGER_UNAVAILABLE', 503, 'unavailable'],
    ['INTERNAL', 500, 'unavailable'],
    ['KEY_NOT_ACTIVE', 503, 'unavailable'],
  ])('%s with %i is shown as %s', (reason, status, kind) => {
    expect(failureOfProblem({ reason, status }, NOW).kind).toBe(kind);
  });

  it('has words for every reason of the contract, and never shows the reason itself', () => {
    for (const { name } of ErrorReasonSchema.values) {
      const reason = name.replace(/^ERROR_REASON_/, '');
      for (const status of [400, 403, 429, 503]) {
        const { headline, advice } = failureOfProblem({ reason, status }, NOW);
        expect([headline.length > 10, advice.length > 10]).toEqual([true, true]);
        expect(`${headline} ${advice}`).not.toMatch(/[A-Z]+_[A-Z]+/);
      }
    }
  });

  it('says when to come back: the opening time before Retry-After, and nothing where nothing is known', () => {
    const closed = { reason: 'DESTINATION_CLOSED', status: 403, retryAfterMs: 5_000 };
    expect(failureOfProblem({ ...closed, opensAtMs: NOW + 3_600_000 }, NOW).againAtMs).toBe(NOW + 3_600_000);
    expect(failureOfProblem(closed, NOW).againAtMs).toBe(NOW + 5_000);
    expect(failureOfProblem({ reason: 'LIMIT_EXCEEDED', status: 429 }, NOW).againAtMs).toBeUndefined();
  });

  it('a check for humans is called by its name, not a line that cannot be called', () => {
    const { headline } = failureOfProblem({ reason: 'HUMAN_CHECK_REQUIRED', status: 403 }, NOW);
    expect(headline).toBe('Please confirm that you are a person');
  });

  it('a reason from a newer service is refused or unavailable, by its status', () => {
    expect(failureOfProblem({ reason: 'NEWS', status: 422 }, NOW).kind).toBe('refused');
    expect(failureOfProblem({ reason: 'toString', status: 502 }, NOW).kind).toBe('unavailable');
  });
});

describe('a refusal of the gateway', () => {
  it.each([35, 46, 64, 65])('%i has words of its own and keeps the code for whoever is asked', (code) => {
    const failure = failureOfGateway(code);
    expect(failure.kind).toBe('refused');
    expect(failure.advice).toContain(`(Code ${code})`);
  });

  it('another code, or none, reads as an outage', () => {
    expect(failureOfGateway(5)).toBe(unavailable);
    expect(failureOfGateway(undefined)).toBe(unavailable);
  });
});

it('a microphone that is blocked and one that is missing need different things done', () => {
  expect(failureOfMicrophone('denied').advice).toContain('Allow');
  expect(failureOfMicrophone('missing').advice).toContain('Connect');
});

describe('another call', () => {
  it.each([
    'FROZEN',
    'DESTINATION_DISABLED',
    'CLIENT_NOT_GRANTED',
    'SUBJECT_REQUIRED',
    'HUMAN_CHECK_REQUIRED',
  ])('is not offered after %s, which it cannot change', (reason) => {
    expect(failureOfProblem({ reason, status: 403 }, NOW).callable).toBe(false);
  });

  it('is not offered after 35, 46 and 64, and is after 65, since it brings new credentials', () => {
    expect([35, 46, 64, 65].map((code) => failureOfGateway(code).callable)).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  it('is offered from Retry-After on, after a fault of the service too', () => {
    for (const problem of [
      { reason: 'LIMIT_EXCEEDED', status: 429 },
      { reason: 'LEDGER_UNAVAILABLE', status: 503 },
    ]) {
      const failure = failureOfProblem({ ...problem, retryAfterMs: 9_000 }, NOW);
      expect(failure).toMatchObject({ callable: true, againAtMs: NOW + 9_000 });
    }
  });

  it('is offered on a closed line from the opening on, and not where that is unknown', () => {
    const closed = { reason: 'DESTINATION_CLOSED', status: 403 };
    expect(failureOfProblem({ ...closed, opensAtMs: NOW + 1 }, NOW).callable).toBe(true);
    expect(failureOfProblem(closed, NOW).callable).toBe(false);
  });

  it('is not offered without a network, nor without a microphone', () => {
    const faults = [
      { at: 'credentials', cause: 'offline' },
      { at: 'subscription', cause: 'offline' },
      { at: 'microphone', cause: 'denied' },
    ] as const;
    expect(faults.map((fault) => failureOf(fault, NOW).callable)).toEqual([false, false, false]);
  });
});
