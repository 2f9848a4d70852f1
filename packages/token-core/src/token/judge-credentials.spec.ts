import { describe, expect, it } from '@jest/globals';
import {
  type Cipher,
  type CredentialsRules,
  judgeCredentials,
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

describe.each(Object.keys(KEYS) as Cipher[])('judgeCredentials with %s', (cipher) => {
  const key = openRealmKey(cipher, KEYS[cipher]);
  const older = openRealmKey(cipher, KEYS[cipher].toUpperCase());
  const keys = [
    { version: 2, key },
    { version: 1, key: older },
  ];
  const tokens = encryptCredentials(key, USERS, AT);
  const judge = (changed: Partial<EncryptedCredentials> = {}, rules: Partial<CredentialsRules> = {}) =>
    judgeCredentials(keys, { ...tokens, ...changed }, { ...RULES, ...rules });

  it('says VALID of a set made at once, though its three users differ', () => {
    const judged = judge({}, { expectedCallee: USERS.to, expectedCaller: `sip:${USERS.from}` });
    expect(judged.verdict).toBe('VALID');
    expect(judged.account).toMatchObject({ verdict: 'VALID', user: USERS.account, keyVersion: 2 });
    expect(judged.from).toMatchObject({ verdict: 'VALID', user: `sip:${USERS.from}`, issueTimeMs: T });
    expect(judged.to).toMatchObject({ verdict: 'VALID', user: `sip:${USERS.to}`, expireTimeMs: T + 600_000 });
  });

  it('says MISMATCHED when a token was made at another time', () => {
    const later = encryptToken(key, USERS.to, 'TO', { ...AT, timestampMs: T + 1 });
    const judged = judge({ toToken: later });
    expect(judged.verdict).toBe('MISMATCHED');
    expect(judged.to.verdict).toBe('VALID');
  });

  it('says MISMATCHED when a token was made with another key of the realm', () => {
    expect(judge({ fromToken: encryptToken(older, USERS.from, 'FROM', AT) }).verdict).toBe('MISMATCHED');
  });

  it('says MISMATCHED when callee or caller is not the one expected', () => {
    expect(judge({}, { expectedCallee: USERS.from }).verdict).toBe('MISMATCHED');
    expect(judge({}, { expectedCaller: USERS.to }).verdict).toBe('MISMATCHED');
    expect(
      judge({ fromToken: tokens.toToken, toToken: tokens.fromToken }, { expectedCallee: USERS.to }).verdict,
    ).toBe('MISMATCHED');
  });

  it('judges each token for its place: an account token is no from token', () => {
    const judged = judge({ fromToken: tokens.accountToken });
    expect(judged.verdict).toBe('WRONG_KIND');
    expect(judged.account.verdict).toBe('VALID');
  });

  it('takes the first fault in the order account, from, to, and a fault before a mismatch', () => {
    const bad = {
      accountToken: 'x',
      fromToken: '00'.repeat(cipher === 'AES_128_ECB' ? 16 : 56),
      toToken: 'x',
    };
    expect(judge(bad).verdict).toBe('MALFORMED');
    expect(judge({ ...bad, accountToken: tokens.accountToken }).verdict).toBe('UNDECIPHERABLE');
    expect(judge({ toToken: 'x' }, { expectedCallee: 'nobody@x' }).verdict).toBe('MALFORMED');
    expect(judge({}, { nowMs: T + 600_000 })).toMatchObject({
      verdict: 'EXPIRED',
      from: { verdict: 'EXPIRED' },
    });
  });
});
