import { describe, expect, it } from '@jest/globals';
import {
  type Cipher,
  openRealmKey,
  decryptToken,
  encryptAll,
  encryptCredentials,
  encryptToken,
  type EncryptOptions,
  type TokenKind,
} from '../index.ts';
import { cbcByHand, ecbByHand, KEYS, randomForIv } from '../testing/by-hand.ts';

const AT = { timestampMs: 1_700_000_000_123, unit: 'MILLISECONDS' } as const;
const USERS = { account: 'anonymous@kandy.example', from: 'zoë@kandy.example', to: '😀@kandy.example' };

describe.each(Object.keys(KEYS) as Cipher[])('encrypting with %s', (cipher) => {
  const key = openRealmKey(cipher, KEYS[cipher]);
  const byHand = (user: string, timestamp: string, iv: string): string =>
    cipher === 'AES_128_ECB'
      ? ecbByHand(KEYS[cipher], `${user};${timestamp}`)
      : cbcByHand(KEYS[cipher], `${user};x-ts=${timestamp}`, { iv });

  it('gives three tokens that share one time, sip: in front of from and to only', () => {
    const tokens = encryptCredentials(key, USERS, AT);
    const decrypt = (token: string) => decryptToken(key, token);
    const timestamp = AT.timestampMs;
    expect(decrypt(tokens.accountToken)).toMatchObject({ user: USERS.account, kind: 'ACCOUNT', timestamp });
    expect(decrypt(tokens.fromToken)).toMatchObject({
      user: `sip:${USERS.from}`,
      kind: 'ADDRESS',
      timestamp,
    });
    expect(decrypt(tokens.toToken)).toMatchObject({ user: `sip:${USERS.to}`, kind: 'ADDRESS', timestamp });
  });

  it('gives the set the same texts as one by one, and as anybody else would', () => {
    const iv = 'zyxw9876ABCDefgh';
    const options = { ...AT, random: randomForIv(iv) };
    for (const extra of ['', 'a', 'longer-by-a-block', 'ë']) {
      const users = { ...USERS, account: `${extra}${USERS.account}` };
      expect(encryptCredentials(key, users, options)).toEqual({
        accountToken: byHand(users.account, '1700000000123', iv),
        fromToken: byHand(`sip:${users.from}`, '1700000000123', iv),
        toToken: byHand(`sip:${users.to}`, '1700000000123', iv),
      });
      expect(encryptToken(key, users.to, 'TO', options)).toBe(byHand(`sip:${users.to}`, '1700000000123', iv));
    }
  });

  it('writes the longest users there may be whole, three at once', () => {
    const longest = `${'😀'.repeat(63)}ab@d`;
    const tokens = encryptCredentials(key, { account: longest, from: longest, to: longest }, AT);
    expect(decryptToken(key, tokens.toToken)?.user).toBe(`sip:${longest}`);
    expect(decryptToken(key, tokens.accountToken)?.user).toBe(longest);
  });

  it('counts whole seconds in a realm of seconds', () => {
    const token = encryptToken(key, USERS.to, 'FROM', { timestampMs: 1_700_000_000_999, unit: 'SECONDS' });
    expect(decryptToken(key, token)).toMatchObject({ timestamp: 1_700_000_000, digits: 10 });
  });

  it('refuses a bad user in any place of the set, and encrypts as before afterwards', () => {
    for (const place of ['account', 'from', 'to'] as const) {
      expect(() => encryptCredentials(key, { ...USERS, [place]: 'a;b@c' }, AT)).toThrow(
        expect.objectContaining({ code: 'USER_INVALID', reason: 'SEMICOLON' }),
      );
      const calls = [USERS, { ...USERS, [place]: 'a;b@c' }].map((users) => ({ users, ...AT }));
      expect(() => encryptAll(key, calls)).toThrow(expect.objectContaining({ code: 'USER_INVALID' }));
    }
    expect(decryptToken(key, encryptToken(key, USERS.to, 'TO', AT))?.user).toBe(`sip:${USERS.to}`);
  });

  it('encrypts as before after the random source failed or a damaged token was decrypted', () => {
    const failing = { fill: () => { throw new Error('no entropy'); } }; // prettier-ignore
    if (cipher !== 'AES_128_ECB') {
      expect(() => encryptCredentials(key, USERS, { ...AT, random: failing })).toThrow('no entropy');
    }
    const token = encryptToken(key, USERS.to, 'TO', AT);
    expect(decryptToken(key, `${token.slice(0, -32)}${'0'.repeat(32)}`)).toBeUndefined();
    expect(decryptToken(key, token)?.user).toBe(`sip:${USERS.to}`);
    expect(decryptToken(key, encryptToken(key, USERS.to, 'TO', AT))?.user).toBe(`sip:${USERS.to}`);
  });

  it('takes times, units and kinds that are none for mistakes of the programmer', () => {
    for (const wrong of [
      { timestampMs: -1 },
      { timestampMs: 1.5 },
      { timestampMs: NaN },
      { unit: 'HOURS' },
    ]) {
      expect(() => encryptToken(key, USERS.to, 'TO', { ...AT, ...wrong } as EncryptOptions)).toThrow(
        TypeError,
      );
    }
    expect(() => encryptToken(key, USERS.to, 'CALLEE' as TokenKind, AT)).toThrow(TypeError);
  });
});

describe('encrypting with AES_256_CBC_HMAC_SHA256', () => {
  it('draws an IV of its own for each token, of letters and digits', () => {
    const key = openRealmKey('AES_256_CBC_HMAC_SHA256', KEYS.AES_256_CBC_HMAC_SHA256);
    const ivs = Array.from({ length: 1000 }, () =>
      Object.values(encryptCredentials(key, USERS, AT) as object),
    )
      .flat()
      .map((token: string) => token.slice(64, 80));
    expect(new Set(ivs).size).toBe(3000);
    for (const iv of ivs) expect(iv).toMatch(/^[A-Za-z0-9]{16}$/);
  });
});
