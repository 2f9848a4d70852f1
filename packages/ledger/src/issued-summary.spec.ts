import { expect, it } from '@jest/globals';
import { mergeIssued, type IssuedCounts } from './issued-summary.ts';

const GROUP: IssuedCounts = {
  ...{ client: 'web-edge', destination: 'support', realm: 'support.example', keyVersion: 3 },
  ...{ issued: 2, alive: 1, firstTimeMs: 10, lastTimeMs: 20, lastExpireTimeMs: 600 },
};

it('adds up what steps have counted of one client, destination and key, and keeps others apart', () => {
  const later = { ...GROUP, issued: 3, alive: 3, firstTimeMs: 5, lastTimeMs: 30, lastExpireTimeMs: 700 };
  const others = [{ client: 'a' }, { destination: 'b' }, { realm: 'c' }, { keyVersion: 4 }].map((other) => ({
    ...GROUP,
    ...other,
  }));
  expect(mergeIssued([[GROUP, ...others], [later]])).toEqual([
    { ...GROUP, issued: 5, alive: 4, firstTimeMs: 5, lastTimeMs: 30, lastExpireTimeMs: 700 },
    ...others,
  ]);
});
