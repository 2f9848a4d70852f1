import { RpcError } from '@callpass/grpc-kit';
import type { Logger } from '@callpass/program/log';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { createAccessLog } from './access-log.ts';

type Line = readonly [fields: Readonly<Record<string, unknown>>, message: string];

let lines: Line[];
const log = { isLevelEnabled: () => true, info: (...line: Line) => void lines.push(line) };
beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
});
afterEach(() => {
  jest.useRealTimers();
});

function start(requests: 'all' | 'refused' | 'none') {
  const { interceptors, flush } = createAccessLog(
    { log: { level: 'info', requests } },
    log as never as Logger,
  );
  const call = async (methodName: string, code: status) => {
    const listeners: ((error: RpcError | undefined) => void)[] = [];
    const given = {
      methodName,
      state: { get: () => undefined },
      onEnd: (listener: never) => listeners.push(listener),
    };
    for (const interceptor of interceptors) await interceptor(given as never, () => Promise.resolve());
    for (const listener of listeners)
      listener(code === status.OK ? undefined : new RpcError(code, 'refused'));
  };
  return { call, flush };
}

it('an outage that refuses 2,506 calls in 26 s has a line at once and one a second, which count them all', async () => {
  const { call } = start('refused');
  for (let index = 0; index < 2506; index++) {
    await call('callpass.v1.CredentialService/IssueCredentials', status.UNAVAILABLE);
    jest.advanceTimersByTime(26_000 / 2506);
  }
  jest.advanceTimersByTime(1000);
  expect(lines[0]).toEqual([
    expect.objectContaining({
      method: 'callpass.v1.CredentialService/IssueCredentials',
      status: 'UNAVAILABLE',
      durationMs: expect.any(Number),
    }),
    'request',
  ]);
  expect(lines.length).toBeLessThanOrEqual(27);
  expect(lines[1]?.[1]).toBe('requests');
  expect(lines.reduce((sum, [{ count }]) => sum + Number(count ?? 1), 0)).toBe(2506);
});

it('another method or another status has a line of its own, and the end leaves none out', async () => {
  const { call, flush } = start('refused');
  await call('a/B', status.UNAVAILABLE);
  await call('a/C', status.UNAVAILABLE);
  await call('a/B', status.PERMISSION_DENIED);
  expect(lines).toHaveLength(3);
  await call('a/B', status.UNAVAILABLE);
  await call('a/B', status.UNAVAILABLE);
  flush();
  expect(lines.at(-1)).toMatchObject([{ method: 'a/B', status: 'UNAVAILABLE', count: 2 }, 'requests']);
});

it('log.requests all has a line for each call, and none has none', async () => {
  for (const requests of ['all', 'none'] as const) {
    const { call } = start(requests);
    for (const code of [status.OK, status.UNAVAILABLE, status.UNAVAILABLE]) await call('a/B', code);
  }
  expect(lines.map(([{ status: code }]) => code)).toEqual(['OK', 'UNAVAILABLE', 'UNAVAILABLE']);
});
