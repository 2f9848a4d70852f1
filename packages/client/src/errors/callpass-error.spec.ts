import { describe, expect, it } from '@jest/globals';
import { CallpassError } from './callpass-error.ts';

const UNAVAILABLE = 14;

describe('instanceof CallpassError', () => {
  it('is true for an error of another copy of this package, as in the edge', async () => {
    const copy = `${import.meta.resolve('./callpass-error.ts')}?copy`;
    const other = (await import(copy)) as typeof import('./callpass-error.ts');
    expect(other.CallpassError).not.toBe(CallpassError);
    const error: unknown = new other.CallpassError('x', { code: UNAVAILABLE });
    expect(error instanceof CallpassError).toBe(true);
    expect(new CallpassError('x', { code: UNAVAILABLE }) instanceof other.CallpassError).toBe(true);
  });

  it('is false for other errors, and a subclass has its own errors only', () => {
    class Refused extends CallpassError {}
    for (const value of [new Error('x'), { name: 'CallpassError' }, null, undefined, 'x'])
      expect(value instanceof CallpassError).toBe(false);
    expect(new Refused('x', { code: UNAVAILABLE }) instanceof CallpassError).toBe(true);
    expect(new Refused('x', { code: UNAVAILABLE }) instanceof Refused).toBe(true);
    expect(new CallpassError('x', { code: UNAVAILABLE }) instanceof Refused).toBe(false);
  });
});
