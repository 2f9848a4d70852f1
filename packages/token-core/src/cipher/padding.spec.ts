import { describe, expect, it } from '@jest/globals';
import { paddingText, unpaddedLength } from './padding.ts';

describe('PKCS#7 padding', () => {
  it('is taken off as it was put on, at every length', () => {
    for (let length = 0; length < 48; length++) {
      const bytes = Buffer.from('x'.repeat(length) + paddingText(length), 'latin1');
      expect(bytes.length % 16).toBe(0);
      expect(unpaddedLength(bytes)).toBe(length);
    }
  });

  it('is refused when any one of its bytes is another', () => {
    for (let count = 1; count <= 16; count++) {
      for (let at = 32 - count; at < 32; at++) {
        for (let value = 0; value < 256; value++) {
          const bytes = Buffer.alloc(32, 'x').fill(count, 32 - count);
          bytes[at] = value;
          // A last byte of 1 is padding of its own, whatever stands before it.
          const expected = value === count ? 32 - count : at === 31 && value === 1 ? 31 : -1;
          if (unpaddedLength(bytes) !== expected) {
            throw new Error(
              `count ${count}, byte ${at} = ${value}: ${unpaddedLength(bytes)}, expected ${expected}`,
            );
          }
        }
      }
    }
  });

  it('is refused when its last byte is 0 or over 16', () => {
    for (const value of [0, 17, 32, 128, 255]) expect(unpaddedLength(Buffer.alloc(32, value))).toBe(-1);
  });
});
