import { expect, it } from '@jest/globals';
import { latencyText, memoryText, percentText, rateText, spanText } from './figures.ts';

it.each([
  [rateText, undefined, '-'],
  [rateText, 0, '0'],
  [rateText, 0.204, '0.20'],
  [rateText, 12.34, '12.3'],
  [rateText, 1234.5, '1,235'],
  [latencyText, undefined, '-'],
  [latencyText, 0.0049, '4.9 ms'],
  [latencyText, 0.00999, '10 ms'],
  [latencyText, 0.198, '198 ms'],
  [latencyText, 1.2, '1.20 s'],
  [spanText, 0, '0 s'],
  [spanText, 59.9, '59 s'],
  [spanText, 60, '1 min'],
  [spanText, 185, '3 min 5 s'],
  [spanText, 4 * 3600 + 59, '4 h'],
  [spanText, -(3 * 86_400 + 4 * 3600), '3 d 4 h'],
  [percentText, 0.999, '99 %'],
  [percentText, 1, '100 %'],
  [memoryText, 272 * 1024 * 1024, '272 MiB'],
])('%p writes %p as %p', (text, value, expected) => {
  expect(text(value)).toBe(expected);
});
