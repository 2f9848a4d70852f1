import { describe, expect, it } from '@jest/globals';
import { assertAnswered } from './generator.ts';

const CALL = { path: '/a.B/C', message: new Uint8Array(), responseBytes: 95 };
const result = (counts: { ok: number; failed: number; responseBytes: number }) => ({
  ...counts,
  perSecond: 1,
  cutOff: 2,
});

describe('assertAnswered', () => {
  it('takes answers of about the size of the example', () => {
    expect(() => assertAnswered(result({ ok: 10, failed: 0, responseBytes: 990 }), CALL)).not.toThrow();
  });

  it('allows for calls that were answered, but cut off before they were counted', () => {
    expect(() => assertAnswered(result({ ok: 10, failed: 0, responseBytes: 1200 }), CALL)).not.toThrow();
  });

  it.each([
    ['a call that failed', { ok: 9, failed: 1, responseBytes: 1000 }],
    ['answers without a message, as those of gRPC errors are', { ok: 10, failed: 0, responseBytes: 500 }],
    ['answers larger than they should be', { ok: 10, failed: 0, responseBytes: 1300 }],
    ['no answer at all', { ok: 0, failed: 0, responseBytes: 0 }],
  ])('refuses %s', (_, counts) => {
    expect(() => assertAnswered(result(counts), CALL)).toThrow(/\/a\.B\/C/);
  });
});
