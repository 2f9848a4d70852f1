import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MessageLengths } from './message-lengths.ts';

function framed(length: number): Buffer {
  const bytes = Buffer.alloc(5 + length, 0xff);
  bytes[0] = 0;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

describe('MessageLengths', () => {
  it('lets messages pass up to the bound, however their bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 300 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (lengths, cuts) => {
          const bytes = Buffer.concat(lengths.map(framed));
          const messages = new MessageLengths(200);
          let allowed = true;
          for (let at = 0, cut = 0; at < bytes.length && allowed; cut++) {
            const size = cuts[cut % cuts.length] as number;
            allowed = messages.take(bytes.subarray(at, at + size));
            at += size;
          }
          expect(allowed).toBe(lengths.every((length) => length <= 200));
        },
      ),
    );
  });

  it('knows one that is too long from its prefix', () => {
    expect(new MessageLengths(200).take(framed(201).subarray(0, 5))).toBe(false);
    expect(new MessageLengths(200).take(Buffer.from([1, 0xff, 0xff, 0xff, 0xff]))).toBe(false);
  });
});
