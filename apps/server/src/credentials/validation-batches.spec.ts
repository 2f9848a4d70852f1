import { describe, expect, it } from '@jest/globals';
import { ValidationBatches } from './validation-batches.ts';

const never = () => new Promise<never>(() => undefined);
const ANSWER = 'answer';
const answers = () => Promise.resolve(ANSWER);

describe('a batch of validations', () => {
  it('refuses what is above the bound, each by itself, and counts it', async () => {
    let shed = 0;
    const batches = new ValidationBatches(() => shed++, { maxUnderWay: 2, maxWaitMs: 60_000 });
    const gate = Promise.withResolvers<string>();
    const waits = () => gate.promise;
    const outcomes = batches.within((bounded) =>
      Promise.allSettled([waits, waits, waits, answers].map((decide) => bounded(decide))),
    );
    await new Promise(setImmediate);
    gate.resolve(ANSWER);
    const overloaded = { reason: { reason: 'OVERLOADED', details: { retryAfterMs: 1000 } } };
    expect(await outcomes).toMatchObject([{ value: ANSWER }, { value: ANSWER }, overloaded, overloaded]);
    expect(shed).toBe(2);
    // Their places are free again.
    expect(await batches.within((bounded) => Promise.all([bounded(answers), bounded(answers)]))).toEqual([
      ...[ANSWER, ANSWER],
    ]);
  });

  it('holds those that need no store up for a bounded time only, and keeps the places of what goes on', async () => {
    const batches = new ValidationBatches(() => undefined, { maxUnderWay: 1, maxWaitMs: 20 });
    const [late] = await batches.within((bounded) => Promise.allSettled([bounded(never)]));
    expect(late).toMatchObject({ reason: { reason: 'STORE_UNAVAILABLE', details: { retryAfterMs: 1000 } } });
    const [next] = await batches.within((bounded) => Promise.allSettled([bounded(answers)]));
    expect(next).toMatchObject({ reason: { reason: 'OVERLOADED' } });
  });
});
