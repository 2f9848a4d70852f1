import { expect, it } from '@jest/globals';
import { createFaultLines } from './fault-lines.ts';

it('faults of one reason get a line a second, which counts those that had none; another reason has its own', () => {
  let nowMs = 5;
  const { next } = createFaultLines(() => nowMs);
  expect(next('SERVICE_UNREACHABLE')).toEqual({});
  nowMs = 1004;
  expect([next('SERVICE_UNREACHABLE'), next('SERVICE_UNREACHABLE')]).toEqual([undefined, undefined]);
  expect(next('EDGE_FAULT')).toEqual({});
  nowMs = 1005;
  expect(next('SERVICE_UNREACHABLE')).toEqual({ unlogged: 2 });
  nowMs = 2005;
  expect(next('SERVICE_UNREACHABLE')).toEqual({});
});
