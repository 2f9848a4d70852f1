import { describe, expect, it } from '@jest/globals';
import { generateKeyText, keyBytesOf, openRealmKey } from '../index.ts';

describe.each(['AES_128_ECB', 'AES_256_CBC_HMAC_SHA256'] as const)('generateKeyText for %s', (cipher) => {
  it('makes a key of the length the cipher needs, of characters that can be typed', () => {
    const key = generateKeyText(cipher);
    expect(key).toMatch(new RegExp(`^[A-Za-z0-9]{${keyBytesOf(cipher)}}$`));
    openRealmKey(cipher, key).destroy();
  });

  it('never makes the same key twice, and takes its randomness from the source given', () => {
    expect(generateKeyText(cipher)).not.toBe(generateKeyText(cipher));
    const zeros = { fill: (bytes: Uint8Array) => bytes.fill(0) };
    expect(generateKeyText(cipher, zeros)).toBe('A'.repeat(keyBytesOf(cipher)));
  });
});
