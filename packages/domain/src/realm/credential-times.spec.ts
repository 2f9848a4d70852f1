import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { credentialTimes } from './credential-times.ts';

const NOW_MS = 1_790_000_123_456;

describe('credentialTimes', () => {
  it('takes the millisecond of the issue, the whole lifetime and four fifths of it', () => {
    expect(credentialTimes({ timestampUnit: 'MILLISECONDS', tokenLifetimeMs: 600_000 }, NOW_MS)).toEqual({
      issueTimeMs: NOW_MS,
      expireTimeMs: NOW_MS + 600_000,
      refreshTimeMs: NOW_MS + 480_000,
    });
  });

  it('cuts to the second where the realm counts seconds, and counts the rest from there', () => {
    const issueTimeMs = 1_790_000_123_000;
    expect(credentialTimes({ timestampUnit: 'SECONDS', tokenLifetimeMs: 1_000 }, NOW_MS)).toEqual({
      issueTimeMs,
      expireTimeMs: issueTimeMs + 1_000,
      refreshTimeMs: issueTimeMs + 800,
    });
  });

  it('never lies in the future, refreshes before it expires, and is whole', () => {
    const realm = fc.record({
      timestampUnit: fc.constantFrom('MILLISECONDS' as const, 'SECONDS' as const),
      tokenLifetimeMs: fc.integer({ min: 1, max: 86_400_000 }),
    });
    fc.assert(
      fc.property(realm, fc.double({ min: 0, max: 4e12, noNaN: true }), (given, nowMs) => {
        const times = credentialTimes(given, nowMs);
        expect(times.issueTimeMs).toBeLessThanOrEqual(nowMs);
        expect(times.refreshTimeMs).toBeGreaterThanOrEqual(times.issueTimeMs);
        expect(times.refreshTimeMs).toBeLessThan(times.expireTimeMs);
        expect(Object.values(times).every(Number.isSafeInteger)).toBe(true);
      }),
    );
  });
});
