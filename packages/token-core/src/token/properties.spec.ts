import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  explainToken,
  type VerificationRules,
  verifyCredentials,
  verifyToken,
  openRealmKey,
  encryptAll,
  encryptCredentials,
  encryptToken,
  type TokenKind,
} from '../index.ts';
import { cbcByHand, ecbByHand, KEYS, randomForIv } from '../testing/by-hand.ts';

const TIMEOUT_MS = 120_000;
const ROUND_TRIPS = 10_000;
const CHANGES = 100_000;
const STRINGS = 100_000;

const NOW_MS = 1_700_000_000_123;
const RULES: VerificationRules = {
  lifetimeMs: 600_000,
  maxClockSkewMs: 30_000,
  unit: 'MILLISECONDS',
  nowMs: NOW_MS,
};
const ECB = openRealmKey('AES_128_ECB', KEYS.AES_128_ECB);
const CBC = openRealmKey('AES_256_CBC_HMAC_SHA256', KEYS.AES_256_CBC_HMAC_SHA256);

const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !/[;@\p{Cc}]/u.test(text) && text.isWellFormed() && Buffer.byteLength(text) <= 120);
const user = fc
  .tuple(name, name)
  .map(([local, domain]) => `${local}@${domain}`)
  .filter((text) => !/^sips?:/i.test(text));
const timestampMs = fc.integer({ min: 1e11, max: Number.MAX_SAFE_INTEGER });

describe('over random users and times', () => {
  it.each([ECB, CBC].map((key) => ({ key, cipher: key.cipher })))(
    'a set of three holds what went in, as an independent writer would have put it ($cipher)',
    ({ key }) => {
      const keys = [{ version: 1, key }];
      fc.assert(
        fc.property(user, user, user, timestampMs, (account, from, to, issued) => {
          const users = { account, from, to };
          const tokens = encryptCredentials(key, users, { timestampMs: issued, unit: 'MILLISECONDS' });
          const byHand = (holder: string, token: string): string =>
            key.cipher === 'AES_128_ECB'
              ? ecbByHand(KEYS[key.cipher], `${holder};${issued}`)
              : cbcByHand(KEYS[key.cipher], `${holder};x-ts=${issued}`, { iv: token.slice(64, 80) });
          const verified = verifyCredentials(keys, tokens, {
            ...RULES,
            nowMs: issued,
            expectedCallee: to,
            expectedCaller: from,
          });
          return (
            verified.verdict === 'VALID' &&
            verified.account.user === account &&
            verified.account.issueTimeMs === issued &&
            tokens.accountToken === byHand(account, tokens.accountToken) &&
            tokens.fromToken === byHand(`sip:${from}`, tokens.fromToken) &&
            tokens.toToken === byHand(`sip:${to}`, tokens.toToken)
          );
        }),
        { numRuns: ROUND_TRIPS },
      );
    },
    TIMEOUT_MS,
  );

  it.each([ECB, CBC].map((key) => ({ key, cipher: key.cipher })))(
    'sets that are encrypted together are each as one by one with the same random bytes, and valid ($cipher)',
    ({ key }) => {
      const calls = fc.array(fc.tuple(user, user, user, timestampMs), { maxLength: 70 });
      fc.assert(
        fc.property(calls, (asked) => {
          const all = encryptAll(
            key,
            asked.map(([account, from, to, issued]) => ({
              ...{ users: { account, from, to }, timestampMs: issued, unit: 'MILLISECONDS' },
            })),
          );
          expect(all).toHaveLength(asked.length);
          asked.forEach(([account, from, to, issued], index) => {
            const tokens = all[index] as (typeof all)[number];
            const alone = (holder: string, kind: TokenKind, token: string): string =>
              encryptToken(key, holder, kind, {
                ...{ timestampMs: issued, unit: 'MILLISECONDS', random: randomForIv(token.slice(64, 80)) },
              });
            expect(tokens).toEqual({
              accountToken: alone(account, 'ACCOUNT', tokens.accountToken),
              fromToken: alone(from, 'FROM', tokens.fromToken),
              toToken: alone(to, 'TO', tokens.toToken),
            });
            const rules = { ...RULES, nowMs: issued, expectedCallee: to, expectedCaller: from };
            expect(verifyCredentials([{ version: 1, key }], tokens, rules).verdict).toBe('VALID');
          });
        }),
        { numRuns: 30 },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'a CBC token with any one character replaced by any other is never valid, nor decrypted',
    () => {
      const tokens = ['u@k', 'support@kandy.example.com', `${'zoë'.repeat(30)}@kandy.example`].flatMap(
        (holder) =>
          Object.values<string>({
            ...encryptCredentials(
              CBC,
              { account: holder, from: holder, to: holder },
              { timestampMs: NOW_MS, unit: 'MILLISECONDS' },
            ),
          }),
      );
      const keys = [{ version: 1, key: CBC }];
      for (const token of tokens) expect(verifyToken(keys, token, RULES).verdict).toBe('VALID');
      const replacement = fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...'0123456789ABCDEF') },
        { weight: 3, arbitrary: fc.constantFrom(...'abcdefGHIJKghijk') },
        {
          weight: 1,
          arbitrary: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
        },
      );
      fc.assert(
        fc.property(fc.constantFrom(...tokens), fc.nat(), replacement, (token, at, character) => {
          const position = at % token.length;
          fc.pre(token[position] !== character);
          const changed = token.slice(0, position) + character + token.slice(position + 1);
          const verification = verifyToken(keys, changed, RULES);
          return (
            Object.keys(verification).length === 1 &&
            /^(?:MALFORMED|UNDECIPHERABLE)$/.test(verification.verdict)
          );
        }),
        { numRuns: CHANGES },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'a text of any kind gets a verdict and a diagnosis, and only a token decrypts',
    () => {
      const keySets = [
        [{ version: 1, key: ECB }],
        [{ version: 1, key: CBC }],
        [ECB, CBC].map((key, version) => ({ version, key })),
      ];
      const hexLike = fc
        .tuple(
          fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), maxLength: 40 }),
          fc.nat({ max: 130 }),
        )
        .map(([text, times]) => text.repeat(times).slice(0, times * 32 + (times % 3 === 0 ? 16 : 0)));
      const text = fc.oneof(
        { weight: 40, arbitrary: fc.string({ unit: 'binary', maxLength: 120 }) },
        { weight: 20, arbitrary: fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units)) },
        { weight: 40, arbitrary: hexLike },
        { weight: 10, arbitrary: fc.string({ unit: fc.constantFrom(...' %"<\n0aA;'), maxLength: 200 }) },
        { weight: 1, arbitrary: fc.tuple(fc.string({ minLength: 1 }), fc.nat({ max: 5000 })).map(([part, times]) => part.repeat(times)) },
      ); // prettier-ignore
      const kind = fc.constantFrom<TokenKind | undefined>('ACCOUNT', 'FROM', 'TO', undefined);
      fc.assert(
        fc.property(text, fc.constantFrom(...keySets), kind, (token, keys, asked) => {
          const rules = { ...RULES, kind: asked };
          const { verdict, findings } = explainToken(keys, token, rules);
          return (
            verifyToken(keys, token, rules).verdict === verdict &&
            (verdict === 'MALFORMED' || verdict === 'UNDECIPHERABLE') &&
            findings.length > 0
          );
        }),
        { numRuns: STRINGS },
      );
    },
    TIMEOUT_MS,
  );
});
