import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type Cipher, openRealmKey, decryptToken, encryptAll, encryptToken } from '../index.ts';
import { randomForIv } from '../testing/by-hand.ts';

interface KnownAnswer {
  readonly name: string;
  readonly cipher: Cipher;
  readonly key: string;
  readonly iv?: string;
  readonly user: string;
  readonly timestamp: number;
  readonly token: string;
}

// CALLPASS_VECTORS names a further file of the same shape.
const files: (string | URL)[] = [new URL('../../vectors/tokens.json', import.meta.url)];
if (process.env['CALLPASS_VECTORS']) files.push(process.env['CALLPASS_VECTORS']);
const cases = files.flatMap(
  (file) => (JSON.parse(readFileSync(file, 'utf8')) as { cases: KnownAnswer[] }).cases,
);

describe.each(cases)(
  'known answer: $name ($cipher)',
  ({ cipher, key: keyText, iv, user, timestamp, token }) => {
    const key = openRealmKey(cipher, keyText);
    const isAddress = user.startsWith('sip:');
    const isEcb = cipher === 'AES_128_ECB';

    it('decrypts to the user and the timestamp', () => {
      const content = {
        user,
        kind: isAddress ? 'ADDRESS' : 'ACCOUNT',
        timestamp,
        digits: `${timestamp}`.length,
      };
      expect(decryptToken(key, token)).toEqual(content);
      if (isEcb) {
        expect(decryptToken(key, token.toUpperCase())).toEqual(content);
        expect(decryptToken(key, token.toLowerCase())).toEqual(content);
        expect(decryptToken(key, token.slice(0, 9).toLowerCase() + token.slice(9).toUpperCase())).toEqual(
          content,
        );
      }
    });

    it('is written to the letter, ECB in upper case', () => {
      const holder = isAddress ? user.slice(4) : user;
      const options = { timestampMs: timestamp, unit: 'MILLISECONDS' } as const;
      const random = randomForIv(iv ?? '');
      const expected = isEcb ? token.toUpperCase() : token;
      expect(encryptToken(key, holder, isAddress ? 'TO' : 'ACCOUNT', { ...options, random })).toBe(expected);
      const call = { users: { account: holder, from: holder, to: holder }, ...options };
      for (const { accountToken, toToken } of encryptAll(key, [call, call], random))
        expect(isAddress ? toToken : accountToken).toBe(expected);
    });
  },
);
