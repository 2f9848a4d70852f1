import { describe, expect, it } from '@jest/globals';
import {
  type Cipher,
  type CredentialsRules,
  verifyCredentials,
  openRealmKey,
  encryptCredentials,
  type EncryptedCredentials,
  encryptToken,
} from '../index.ts';
import { KEYS } from '../testing/by-hand.ts';

const T = 1_700_000_000_123;
const AT = { timestampMs: T, unit: 'MILLISECONDS' } as const;
const RULES: CredentialsRules = {
  lifetimeMs: 600_000,
  maxClockSkewMs: 30_000,
  unit: 'MILLISECONDS',
  nowMs: T + 1,
};
const USERS = {
  account: 'anonymous@kandy.example',
  from: 'caller@kandy.example',
  to: 'support@kandy.example',
};

describe.each(Object.keys(KEYS) as Cipher[])('verifyCredentials with %s', (cipher) => {
  const key = openRealmKey(cipher, KEYS[cipher]);
  const older = openRealmKey(cipher, KEYS[cipher].toUpperCase());
  const keys = [
    { version: 2, key },
    { version: 1, key: older },
  ];
  const tokens = encryptCredentials(key, USERS, AT);
  const verify = (changed: Partial<EncryptedCredentials> = {}, rules: Partial<CredentialsRules> = {}) =>
    verifyCredentials(keys, { ...tokens, ...changed }, { ...RULES, ...rules });

  it('says VALID of a set made at once, though its three users differ', () => {
    const verified = verify({}, { expectedCallee: USERS.to, expectedCaller: `sip:${USERS.from}` });
    expect(verified.verdict).toBe('VALID');
    expect(verified.account).toMatchObject({ verdict: 'VALID', user: USERS.account, keyVersion: 2 });
    expect(verified.from).toMatchObject({ verdict: 'VALID', user: `sip:${USERS.from}`, issueTimeMs: T });
    expect(verified.to).toMatchObject({
      verdict: 'VALID',
      user: `sip:${USERS.to}`,
      expireTimeMs: T + 600_000,
    });
  });

  it('says MISMATCHED when a token was made at another time', () => {
    const later = encryptToken(key, USERS.to, 'TO', { ...AT, timestampMs: T + 1 });
    const verified = verify({ toToken: later });
    expect(verified.verdict).toBe('MISMATCHED');
    expect(verified.to.verdict).toBe('VALID');
  });

  it('says MISMATCHED when a token was made with another key of the realm', () => {
    expect(verify({ fromToken: encryptToken(older, USERS.from, 'FROM', AT) }).verdict).toBe('MISMATCHED');
  });

  it('says MISMATCHED when callee or caller is not the one expected', () => {
    expect(verify({}, { expectedCallee: USERS.from }).verdict).toBe('MISMATCHED');
    expect(verify({}, { expectedCaller: USERS.to }).verdict).toBe('MISMATCHED');
    expect(
      verify({ fromToken: tokens.toToken, toToken: tokens.fromToken }, { expectedCallee: USERS.to }).verdict,
    ).toBe('MISMATCHED');
  });

  it('verifies each token for its place: an account token is no from token', () => {
    const verified = verify({ fromToken: tokens.accountToken });
    expect(verified.verdict).toBe('WRONG_KIND');
    expect(verified.account.verdict).toBe('VALID');
  });

  it('takes the first fault in the order account, from, to, and a fault before a mismatch', () => {
    const bad = {
      accountToken: 'x',
      fromToken: '00'.repeat(cipher === 'AES_128_ECB' ? 16 : 56),
      toToken: 'x',
    };
    expect(verify(bad).verdict).toBe('MALFORMED');
    expect(verify({ ...bad, accountToken: tokens.accountToken }).verdict).toBe('UNDECIPHERABLE');
    expect(verify({ toToken: 'x' }, { expectedCallee: 'nobody@x' }).verdict).toBe('MALFORMED');
    expect(verify({}, { nowMs: T + 600_000 })).toMatchObject({
      verdict: 'EXPIRED',
      from: { verdict: 'EXPIRED' },
    });
  });
});
