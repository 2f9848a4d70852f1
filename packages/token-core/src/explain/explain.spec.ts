import { describe, expect, it } from '@jest/globals';
import {
  explainToken,
  type FindingCode,
  type VerificationRules,
  openRealmKey,
  encryptToken,
  type TokenKind,
} from '../index.ts';
import { cbcByHand, ecbBlocksByHand, ecbByHand, KEYS } from '../testing/by-hand.ts';

const T = 1_700_000_000_123;
const RULES: VerificationRules = {
  lifetimeMs: 600_000,
  maxClockSkewMs: 30_000,
  unit: 'MILLISECONDS',
  nowMs: T,
};
const AT = { timestampMs: T, unit: 'MILLISECONDS' } as const;
const USER = 'user1@kandy.io';
const ECB = openRealmKey('AES_128_ECB', KEYS.AES_128_ECB);
const CBC = openRealmKey('AES_256_CBC_HMAC_SHA256', KEYS.AES_256_CBC_HMAC_SHA256);
const ecbToken = encryptToken(ECB, USER, 'TO', AT);
const cbcToken = encryptToken(CBC, USER, 'TO', AT);
const ecb = (token: string, rules: Partial<VerificationRules> = {}) =>
  explainToken([{ version: 1, key: ECB }], token, { ...RULES, ...rules });
const cbc = (token: string, rules: Partial<VerificationRules> = {}) =>
  explainToken([{ version: 1, key: CBC }], token, { ...RULES, ...rules });
const codes = ({ findings }: { findings: readonly { code: FindingCode }[] }) =>
  findings.map(({ code }) => code);

describe('explainToken', () => {
  it('finds nothing to say of a valid token', () => {
    expect(ecb(ecbToken, { kind: 'TO' })).toEqual({
      verdict: 'VALID',
      user: `sip:${USER}`,
      timestamp: T,
      issueTimeMs: T,
      expireTimeMs: T + 600_000,
      keyVersion: 1,
      findings: [],
    });
    expect(cbc(cbcToken, { kind: 'FROM' })).toMatchObject({ verdict: 'VALID', findings: [] });
  });

  it('names seconds in a realm of milliseconds, and reads the time as what it is', () => {
    const diagnosis = ecb(ecbByHand(KEYS.AES_128_ECB, `${USER};1700000000`));
    expect(diagnosis).toMatchObject({
      verdict: 'WRONG_TIME_UNIT',
      timestamp: 1_700_000_000,
      issueTimeMs: 1.7e12,
    });
    expect(diagnosis.findings).toMatchObject([{ code: 'SECONDS_FOR_MILLISECONDS', digits: 10 }]);
  });

  it('names milliseconds in a realm of seconds, and still says when they ran out', () => {
    const diagnosis = cbc(cbcToken, { unit: 'SECONDS', nowMs: T + 660_000 });
    expect(diagnosis).toMatchObject({ verdict: 'WRONG_TIME_UNIT', issueTimeMs: T });
    expect(diagnosis.findings).toMatchObject([
      { code: 'MILLISECONDS_FOR_SECONDS', digits: 13 },
      { code: 'EXPIRED_BY', expiredByMs: 60_000 },
    ]);
  });

  it('says how long ago a token ran out', () => {
    const [found] = ecb(ecbToken, { nowMs: T + 600_000 + 185_000 }).findings;
    expect(found).toMatchObject({ code: 'EXPIRED_BY', expiredByMs: 185_000, text: 'expired 3 min 5 s ago' });
    expect(codes(ecb(ecbToken, { nowMs: T + 600_000 }))).toEqual(['EXPIRED_BY']);
  });

  it('estimates how far the clock of the maker is ahead', () => {
    const diagnosis = ecb(ecbToken, { nowMs: T - 90_000 });
    expect(diagnosis.verdict).toBe('NOT_YET_VALID');
    expect(diagnosis.findings).toMatchObject([
      { code: 'NOT_YET_VALID_BY', earlyByMs: 90_000, validInMs: 60_000 },
    ]);
    expect(codes(ecb(ecbToken, { nowMs: T - 30_000 }))).toEqual([]);
  });

  const kinds: { user: string; kind: TokenKind; found: FindingCode[] }[] = [
    { user: USER, kind: 'TO', found: ['MISSING_SIP'] },
    { user: USER, kind: 'FROM', found: ['MISSING_SIP'] },
    { user: `sip:${USER}`, kind: 'ACCOUNT', found: ['EXTRA_SIP'] },
    { user: `sip:sip:${USER}`, kind: 'TO', found: ['DOUBLE_SIP'] },
  ];
  it.each(kinds)('finds $found in a token for $user used as $kind', ({ user, kind, found }) => {
    expect(codes(ecb(ecbByHand(KEYS.AES_128_ECB, `${user};${T}`), { kind }))).toEqual(found);
  });

  it('names an older key, whichever place it has in the list', () => {
    const older = openRealmKey('AES_128_ECB', 'an-older-key-16b');
    const keys = [
      { version: 2, key: ECB },
      { version: 1, key: older },
    ];
    const token = encryptToken(older, USER, 'TO', AT);
    expect(explainToken(keys, token, RULES)).toMatchObject({
      verdict: 'VALID',
      keyVersion: 1,
      findings: [{ code: 'OLDER_KEY', keyVersion: 1, newestVersion: 2 }],
    });
    expect(codes(explainToken(keys, ecbToken, RULES))).toEqual([]);
  });

  it('names lower-case CBC only when upper case verifies, and leaves the IV alone', () => {
    const lower =
      cbcToken.slice(0, 64).toLowerCase() + cbcToken.slice(64, 80) + cbcToken.slice(80).toLowerCase();
    const diagnosis = cbc(lower);
    expect(diagnosis).toMatchObject({ verdict: 'UNDECIPHERABLE', user: `sip:${USER}`, keyVersion: 1 });
    expect(codes(diagnosis)).toEqual(['LOWER_CASE_HEX']);
    const damaged = `${lower.slice(0, -1)}${lower.endsWith('0') ? '1' : '0'}`;
    expect(codes(cbc(damaged))).toEqual(['MAC_MISMATCH']);
    expect(codes(ecb(ecbToken.toLowerCase()))).toEqual([]);
  });

  const copied: [FindingCode[], (token: string) => string][] = [
    [['WHITESPACE'], (token) => `  ${token}\r\n`],
    [['WHITESPACE'], (token) => `${token.slice(0, 40)}\n\u200b${token.slice(40)}`],
    [['QUOTED'], (token) => `"${token}"`],
    [['QUOTED'], (token) => `“${token}”`],
    [['WHITESPACE', 'QUOTED'], (token) => `' ${token} '`],
    [['URL_ENCODED'], (token) => token.replace(/^./, (first) => `%${first.charCodeAt(0).toString(16)}`)],
    [['URL_ENCODED', 'WHITESPACE', 'QUOTED'], (token) => `%22${token}%22%0A`],
  ];
  it.each(copied)('finds %j, and the token behind it', (found, copy) => {
    for (const diagnosis of [ecb(copy(ecbToken)), cbc(copy(cbcToken))]) {
      expect(diagnosis).toMatchObject({ verdict: 'MALFORMED', user: `sip:${USER}`, timestamp: T });
      expect(codes(diagnosis)).toEqual(found);
    }
  });

  it('counts the white space it found', () => {
    expect(ecb(` ${ecbToken}\r\n`).findings).toMatchObject([{ code: 'WHITESPACE', count: 3 }]);
  });

  it('says where the text is no token, by length and place', () => {
    expect(ecb(ecbToken.slice(1)).findings).toMatchObject([{ code: 'BAD_LENGTH', length: 95 }]);
    expect(ecb(`${ecbToken.slice(0, 7)}!${ecbToken.slice(8)}`).findings).toMatchObject([
      { code: 'NOT_HEX', position: 7, part: 'CIPHERTEXT' },
    ]);
    for (const [position, part] of [[63, 'MAC'], [64, 'IV'], [80, 'CIPHERTEXT']] as const) {
      const token = `${cbcToken.slice(0, position)}-${cbcToken.slice(position + 1)}`;
      expect(cbc(token).findings).toMatchObject([{ code: 'NOT_HEX', position, part }]);
    } // prettier-ignore
    expect(codes(ecb('hello'))).toEqual(['BAD_LENGTH', 'NOT_HEX']);
    expect(ecb('').findings).toMatchObject([{ code: 'BAD_LENGTH', length: 0 }]);
    expect(codes(ecb(' '.repeat(1_000_000)))).toEqual(['BAD_LENGTH']);
  });

  it('knows a token of the other cipher by its form', () => {
    expect(ecb(cbcToken)).toMatchObject({
      verdict: 'MALFORMED',
      findings: [{ code: 'OTHER_CIPHER_FORM', cipher: 'AES_256_CBC_HMAC_SHA256' }],
    });
    expect(cbc(`${ecbToken}\n`).findings).toMatchObject([
      { code: 'WHITESPACE' },
      { code: 'OTHER_CIPHER_FORM', cipher: 'AES_128_ECB' },
    ]);
  });

  it('distinguishes a foreign MAC, a foreign key, a cut end and a missing timestamp, for operators', () => {
    const otherEcb = openRealmKey('AES_128_ECB', 'an-other-key-16b');
    const otherCbc = openRealmKey('AES_256_CBC_HMAC_SHA256', 'another-key-of-exactly-32-bytes!');
    expect(codes(cbc(encryptToken(otherCbc, USER, 'TO', AT)))).toEqual(['MAC_MISMATCH']);
    expect(codes(ecb(encryptToken(otherEcb, USER, 'TO', AT)))).toEqual(['WRONG_KEY_OR_DAMAGED']);
    expect(codes(ecb(ecbToken.slice(0, -32)))).toEqual(['TRUNCATED']);
    expect(codes(ecb(ecbByHand(KEYS.AES_128_ECB, USER)))).toEqual(['NO_TIMESTAMP']);
    expect(codes(cbc(cbcByHand(KEYS.AES_256_CBC_HMAC_SHA256, `${USER};${T}`)))).toEqual(['NO_TIMESTAMP']);
    const unpadded = Buffer.alloc(32, 0);
    expect(codes(cbc(cbcByHand(KEYS.AES_256_CBC_HMAC_SHA256, unpadded, { pad: false })))).toEqual([
      'NO_TIMESTAMP',
    ]);
    expect(codes(ecb(ecbBlocksByHand(KEYS.AES_128_ECB, unpadded)))).toEqual(['WRONG_KEY_OR_DAMAGED']);
  });

  it('says so when the realm has no key', () => {
    expect(explainToken([], ecbToken, RULES)).toMatchObject({
      verdict: 'UNDECIPHERABLE',
      findings: [{ code: 'NO_KEY' }],
    });
    expect(codes(explainToken([], 'x', RULES))).toEqual(['NO_KEY']);
  });

  it('never repeats a part of the token, the key or the user in its words', () => {
    const older = openRealmKey('AES_128_ECB', 'an-older-key-16b');
    const texts = [
      ecb(ecbToken.slice(1)), ecb(`"${ecbToken}`), ecb(cbcToken), cbc(ecbToken), cbc(cbcToken.toLowerCase()),
      ecb(ecbToken, { nowMs: T * 2, unit: 'SECONDS', kind: 'ACCOUNT' }), ecb(ecbToken, { nowMs: 0 }),
      explainToken([{ version: 9, key: older }, { version: 1, key: ECB }], ecbToken, RULES),
    ].flatMap(({ findings }) => findings.map(({ text }) => text)).join('\n'); // prettier-ignore
    expect(texts).not.toBe('');
    for (const secret of [USER, 'user1', ...Object.values(KEYS)]) expect(texts).not.toContain(secret);
    for (const token of [ecbToken, cbcToken]) {
      for (let i = 0; i + 8 <= token.length; i++) expect(texts).not.toContain(token.slice(i, i + 8));
    }
  });
});
