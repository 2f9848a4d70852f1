import { describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { CallpassError } from '../errors/callpass-error.ts';
import { frozenTiming, rejectionOf } from '../testing/local-service.ts';
import { createRetries, type RetriedCall } from './retries.ts';

const unavailable = (retryAfterMs?: number) =>
  new CallpassError('down', { code: status.UNAVAILABLE, retryAfterMs });

/** A call that fails with these errors, one after the other, and then answers. */
function failing(...errors: unknown[]) {
  const timeouts: number[] = [];
  const call: RetriedCall<string> = {
    repeatable: true,
    timeoutMs: 5_000,
    signal: undefined,
    async attempt(timeoutMs) {
      timeouts.push(timeoutMs);
      const error = errors.shift();
      if (error) throw error as Error;
      return 'answer';
    },
  };
  return { call, timeouts };
}

describe('retries', () => {
  it('asks again after UNAVAILABLE, each time within what is left of the deadline', async () => {
    const timing = frozenTiming();
    const { call, timeouts } = failing(unavailable(), unavailable());
    await expect(createRetries({}, timing).run(call)).resolves.toBe('answer');
    expect(timing.pauses).toEqual([100, 200]);
    expect(timeouts).toEqual([5_000, 4_900, 4_700]);
  });

  it('pauses for a random part of a span that doubles up to its cap', async () => {
    const timing = frozenTiming(0.5);
    const { call } = failing(unavailable(), unavailable(), unavailable());
    await createRetries({ initialBackoffMs: 1_000, maxBackoffMs: 1_500 }, timing).run(call);
    expect(timing.pauses).toEqual([500, 750, 750]);
  });

  it('gives up after the last attempt with the error of that attempt', async () => {
    const errors = [unavailable(), unavailable(), unavailable(), unavailable()];
    const { call, timeouts } = failing(...errors);
    await expect(createRetries({}, frozenTiming()).run(call)).rejects.toBe(errors[3]);
    expect(timeouts).toHaveLength(4);
  });

  it.each([
    ['RESOURCE_EXHAUSTED', status.RESOURCE_EXHAUSTED],
    ['DEADLINE_EXCEEDED', status.DEADLINE_EXCEEDED],
    ['INTERNAL', status.INTERNAL],
    ['ABORTED', status.ABORTED],
  ] as const)('never asks again after %s, which would make things worse', async (_name, code) => {
    const { call, timeouts } = failing(new CallpassError('no', { code, retryAfterMs: 1 }));
    await rejectionOf(createRetries({}, frozenTiming()).run(call));
    expect(timeouts).toHaveLength(1);
  });

  it('never repeats what is not repeatable', async () => {
    const { call, timeouts } = failing(unavailable());
    await rejectionOf(createRetries({}, frozenTiming()).run({ ...call, repeatable: false }));
    expect(timeouts).toHaveLength(1);
  });

  it('waits as long as the service asks for', async () => {
    const timing = frozenTiming();
    const { call } = failing(unavailable(1_234));
    await createRetries({}, timing).run(call);
    expect(timing.pauses).toEqual([1_234]);
  });

  it('fails at once when the pause would outlast the deadline', async () => {
    const timing = frozenTiming();
    const error = unavailable(5_000);
    const { call } = failing(error);
    await expect(createRetries({}, timing).run(call)).rejects.toBe(error);
    expect(timing.pauses).toEqual([]);
  });

  it('stops retrying for all calls of the connection when half of the budget is gone, and starts again as it fills', async () => {
    const retries = createRetries({ budgetTokens: 4, budgetRatio: 0.5 }, frozenTiming());
    const first = failing(unavailable(), unavailable(), unavailable());
    await rejectionOf(retries.run(first.call));
    expect(first.timeouts).toHaveLength(2); // the second failure leaves 2 of 4
    const second = failing(unavailable());
    await rejectionOf(retries.run(second.call));
    expect(second.timeouts).toHaveLength(1);

    for (let i = 0; i < 6; i++) await retries.run(failing().call);
    const third = failing(unavailable());
    await expect(retries.run(third.call)).resolves.toBe('answer');
  });

  it('fills the budget by refusals too, since they are answers, but not by failures without a reason', async () => {
    const retries = createRetries({ budgetTokens: 2, budgetRatio: 1 }, frozenTiming());
    await rejectionOf(retries.run({ ...failing(unavailable()).call, repeatable: false }));
    await rejectionOf(retries.run(failing(new CallpassError('?', { code: status.UNKNOWN })).call));
    await rejectionOf(retries.run(failing(unavailable(), unavailable()).call));
    const refused = new CallpassError('no', { code: status.PERMISSION_DENIED, reason: 'FROZEN' });
    for (let i = 0; i < 2; i++) await rejectionOf(retries.run(failing(refused).call));
    // 2 of 2 again: the first UNAVAILABLE leaves 1, which is half.
    const { call, timeouts } = failing(unavailable());
    await rejectionOf(retries.run(call));
    expect(timeouts).toHaveLength(1);
  });

  it('ends with CANCELLED when the caller cancels during a pause', async () => {
    const controller = new AbortController();
    controller.abort(new Error('closing time'));
    const { call } = failing(unavailable());
    const error = await rejectionOf(
      createRetries({}, frozenTiming()).run({ ...call, signal: controller.signal }),
    );
    expect(error).toMatchObject({ name: 'CallpassError', code: status.CANCELLED });
    expect((error as Error).cause).toBe(controller.signal.reason);
  });

  it('never retries when told so', async () => {
    const { call, timeouts } = failing(unavailable());
    await rejectionOf(createRetries(false, frozenTiming()).run(call));
    expect(timeouts).toHaveLength(1);
  });

  it.each([{ maxAttempts: 0 }, { budgetRatio: -1 }, { initialBackoffMs: Number.NaN }])(
    'refuses options that make no sense: %j',
    (options) => {
      expect(() => createRetries(options)).toThrow(RangeError);
    },
  );
});
