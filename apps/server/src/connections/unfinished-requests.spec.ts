import { expect, it } from '@jest/globals';
import { UnfinishedRequests } from './unfinished-requests.ts';

it('UnfinishedRequests bounds the bytes of each peer, and counts those no longer that were let go of', () => {
  const unfinished = new UnfinishedRequests(10);
  expect([unfinished.add('a', 10), unfinished.add('a', 1), unfinished.add('b', 10)]).toEqual([
    true,
    false,
    true,
  ]);
  unfinished.release('a', 5);
  expect([unfinished.add('a', 4), unfinished.add('a', 1)]).toEqual([true, false]);
});
