import { expect, it } from '@jest/globals';
import { printFindings, problem } from './finding.ts';

it('prints what to do under what it found', () => {
  const finding = problem('store', 'gone', 'look');
  expect(printFindings([finding], false)).toBe('problem  store  gone\n                -> look\n');
  expect(printFindings([finding], true)).toContain('\u001b[31m');
});
