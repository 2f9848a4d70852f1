import { describe, expect, it } from '@jest/globals';
import { throwawayKey } from '@callpass/testkit';
import { readSealKey, SealKeyError } from './seal-key.ts';

describe('readSealKey', () => {
  const key = Buffer.from(throwawayKey());

  it.each([
    ['hexadecimal digits', key.toString('hex')],
    ['capital hexadecimal digits', key.toString('hex').toUpperCase()],
    ['base64', key.toString('base64')],
    ['base64 without padding', key.toString('base64').replace('=', '')],
    ['URL-safe base64', key.toString('base64url')],
    ['white space around it', ` \n${key.toString('base64')}\r\n`],
  ])('reads a key written as %s', (_, text) => {
    expect(key.equals(readSealKey(text))).toBe(true);
    expect(key.equals(readSealKey(Buffer.from(text)))).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['too short', throwawayKey(31)],
    ['too long', throwawayKey(33)],
    ['no base64', '!'.repeat(43)],
    ['two lines', `${key.toString('hex')}\n${key.toString('hex')}`],
  ])('refuses %s and does not repeat it', (_, given) => {
    const text = typeof given === 'string' ? given : Buffer.from(given).toString('hex');
    let error: unknown;
    try {
      readSealKey(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SealKeyError);
    if (text !== '') expect(String(error)).not.toContain(text.slice(0, 8));
  });
});
