import { describe, expect, it } from '@jest/globals';
import {
  countedTogether,
  countedTogetherRule,
  isUncounted,
  removedBeforeMs,
  removedBeforeReason,
  uncountedRule,
} from './recorded-texts.ts';

describe('texts of entries', () => {
  it('are written as in every ledger that there is, and read again', () => {
    expect(countedTogetherRule('hours', 7)).toBe('hours, 7 more within a minute');
    expect(countedTogetherRule('', 12)).toBe('12 more within a minute');
    expect(['hours, 7 more within a minute', '12 more within a minute'].map(countedTogether)).toEqual([
      7, 12,
    ]);
    expect(uncountedRule('limits[0] per SUBJECT')).toBe('uncounted limits[0] per SUBJECT');
    expect(isUncounted('uncounted limits[0] per SUBJECT')).toBe(true);
    expect(removedBeforeReason(0)).toBe('before 1970-01-01T00:00:00.000Z');
    expect(removedBeforeMs(removedBeforeReason(1_800_000_000_123))).toBe(1_800_000_000_123);
  });

  it('are not found in others', () => {
    expect(['', 'hours', 'limits[0] per SUBJECT', 'more within a minute'].map(countedTogether)).toEqual(
      Array.from({ length: 4 }, () => undefined),
    );
    expect(['', 'shadow limits[0] per SUBJECT'].map(isUncounted)).toEqual([false, false]);
    expect(removedBeforeMs('by hand')).toBeNaN();
  });
});
