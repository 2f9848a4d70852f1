import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newIssuanceId } from './issuance-id.ts';

const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });

describe('newIssuanceId', () => {
  it('starts like the example of RFC 9562, appendix A.6, at its time', () => {
    expect(newIssuanceId(Date.UTC(2022, 1, 22, 19, 22, 22), new Uint8Array(16))).toMatch(/^017f22e2-79b0-7/);
  });

  it('is a UUID of version 7 that holds the time', () => {
    fc.assert(
      fc.property(time, bytes, (nowMs, random) => {
        const id = newIssuanceId(nowMs, random);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(nowMs);
      }),
    );
  });

  it('sorts by time, whatever the random bytes', () => {
    fc.assert(
      fc.property(time, time, bytes, bytes, (a, b, first, second) => {
        fc.pre(a < b);
        expect(newIssuanceId(a, first) < newIssuanceId(b, second)).toBe(true);
      }),
    );
  });

  it('comes from its arguments alone, and leaves the random bytes as they are', () => {
    const random = new Uint8Array(16).fill(7);
    expect(newIssuanceId(1, random)).toBe(newIssuanceId(1, new Uint8Array(16).fill(7)));
    expect(newIssuanceId(1, random)).not.toBe(newIssuanceId(1, new Uint8Array(16).fill(8)));
    expect(random).toEqual(new Uint8Array(16).fill(7));
  });

  it.each([0, 15, 17])('refuses %i random bytes', (length) => {
    expect(() => newIssuanceId(1, new Uint8Array(length))).toThrow(TypeError);
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 48])('refuses the time %p', (nowMs) => {
    expect(() => newIssuanceId(nowMs, new Uint8Array(16))).toThrow(TypeError);
  });
});
