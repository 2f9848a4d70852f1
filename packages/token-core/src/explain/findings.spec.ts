import { describe, expect, it } from '@jest/globals';
import { durationText } from './findings.ts';

describe('durationText', () => {
  it.each([
    [0, '0 ms'],
    [0.4, '0 ms'],
    [999, '999 ms'],
    [1000, '1 s'],
    [1500.7, '1 s 500 ms'],
    [185_999, '3 min 5 s'],
    [3_600_000, '1 h'],
    [86_400_000 + 59_000, '1 d'],
    [90_000_000_000, '1041 d 16 h'],
  ])('words %d ms as %s', (durationMs, text) => {
    expect(durationText(durationMs)).toBe(text);
  });
});
