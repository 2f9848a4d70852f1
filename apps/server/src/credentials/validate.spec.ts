import { enumToJson, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  TokenKind,
  ValidateTokenResponseSchema,
  Verdict,
  VerdictSchema,
  type TimeLimitedCredentials,
} from '@callpass/contract';
import { cbcToken, ecbToken } from '../testing/by-hand.ts';
import { reasonIn, refusalOf } from '../testing/refusal.ts';
import { KEYS, START_MS, startConfiguredServer, type TestServer } from '../testing/test-server.ts';

const ECB = { realm: 'ecb.example', key: KEYS['ecb.example'] };
const CBC = { realm: 'cbc.example', key: KEYS['cbc.example'] };

let server: TestServer;
beforeAll(async () => {
  server = await startConfiguredServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.clock.nowMs = START_MS;
});

async function validate(
  realm: string,
  token: string,
  more: { kind?: TokenKind; requireIssuedHere?: boolean; ignoreExpiry?: boolean } = {},
) {
  const answer = await server.credentials.validateToken({ realm, token, ...more });
  return { ...answer, verdict: enumToJson(VerdictSchema, answer.verdict) };
}

async function issue(
  destination: string,
  more: { caller?: string; subject?: string } = {},
): Promise<TimeLimitedCredentials> {
  const { grant } = await server.credentials.issueCredentials({ destination, ...more });
  if (grant.case !== 'timeLimited') throw new Error('no tokens');
  return grant.value;
}

describe('ValidateToken', () => {
  it('VALID: tells user, times and key of a token from another generator', async () => {
    const answer = await validate(ECB.realm, ecbToken(ECB.key, `sip:user@kandy.example;${START_MS}`), {
      kind: TokenKind.TO,
    });
    expect(answer).toMatchObject({ verdict: 'VALID', user: 'sip:user@kandy.example', keyVersion: 1 });
    expect(answer.issueTime && timestampMs(answer.issueTime)).toBe(START_MS);
    expect(answer.expireTime && timestampMs(answer.expireTime)).toBe(START_MS + 600_000);
  });

  it('VALID: takes ECB hexadecimal in either case', async () => {
    const token = ecbToken(ECB.key, `user@kandy.example;${START_MS}`);
    expect((await validate(ECB.realm, token.toLowerCase())).verdict).toBe('VALID');
  });

  it.each([
    ['NOT_YET_VALID just outside the skew', START_MS + 30_001, 'NOT_YET_VALID'],
    ['VALID at the edge of the skew', START_MS + 30_000, 'VALID'],
    ['VALID in the last millisecond of the lifetime', START_MS - 599_999, 'VALID'],
    ['EXPIRED when the lifetime is over', START_MS - 600_000, 'EXPIRED'],
  ])('%s', async (_, timestamp, verdict) => {
    for (const { realm, token } of [
      { realm: ECB.realm, token: ecbToken(ECB.key, `user@kandy.example;${timestamp}`) },
      { realm: CBC.realm, token: cbcToken(CBC.key, `user@kandy.example;x-ts=${timestamp}`) },
    ]) {
      expect((await validate(realm, token)).verdict).toBe(verdict);
    }
  });

  it.each([
    ['an empty text', ''],
    ['no hexadecimal', 'Z'.repeat(32)],
    ['half a block', 'AB'.repeat(8)],
    ['text outside ASCII', 'é'.repeat(32)],
    ['control characters', '\u0000\u0001\u001b[31m'],
    ['4 KiB of anything', 'x'.repeat(4096)],
  ])('MALFORMED: %s', async (_, token) => {
    expect(await validate(ECB.realm, token)).toMatchObject({ verdict: 'MALFORMED', user: '', keyVersion: 0 });
    expect((await validate(CBC.realm, token)).verdict).toBe('MALFORMED');
  });

  it('UNDECIPHERABLE: wrong key, bad MAC, bad padding and no timestamp are the same answer to the byte', async () => {
    const good = cbcToken(CBC.key, `user@kandy.example;x-ts=${START_MS}`);
    const flipped = good.startsWith('0') ? '1' : '0';
    const answers = await Promise.all(
      [
        [CBC.realm, cbcToken('another-key-of-exactly-32-bytes!', `user@kandy.example;x-ts=${START_MS}`)],
        [CBC.realm, flipped + good.slice(1)],
        [CBC.realm, cbcToken(CBC.key, 'sixteen letters!', { padding: false })],
        [CBC.realm, cbcToken(CBC.key, 'user@kandy.example')],
        [CBC.realm, good.toLowerCase()],
        [ECB.realm, ecbToken('another-16-byte!', `user@kandy.example;${START_MS}`)],
        [ECB.realm, ecbToken(ECB.key, 'user@kandy.example')],
      ].map(([realm = '', token = '']) => server.credentials.validateToken({ realm, token })),
    );
    const bytes = answers.map((answer) =>
      Buffer.from(toBinary(ValidateTokenResponseSchema, answer)).toString('hex'),
    );
    expect(new Set(bytes).size).toBe(1);
    expect(answers[0]?.verdict).toBe(Verdict.UNDECIPHERABLE);
  });

  it('WRONG_TIME_UNIT: seconds in a millisecond realm, and the other way round', async () => {
    expect((await validate(ECB.realm, ecbToken(ECB.key, 'user1@kandy.io;1234567890'))).verdict).toBe(
      'WRONG_TIME_UNIT',
    );
    const answer = await validate(
      'seconds.example',
      ecbToken(KEYS['seconds.example'], `user@kandy.example;${START_MS}`),
    );
    expect(answer).toMatchObject({ verdict: 'WRONG_TIME_UNIT', user: 'user@kandy.example' });
    expect(answer.issueTime).toBeUndefined();
  });

  it('WRONG_KIND: an account without sip: used as caller, and a caller as account', async () => {
    const account = ecbToken(ECB.key, `user@kandy.example;${START_MS}`);
    const caller = ecbToken(ECB.key, `sip:user@kandy.example;${START_MS}`);
    expect((await validate(ECB.realm, account, { kind: TokenKind.FROM })).verdict).toBe('WRONG_KIND');
    expect((await validate(ECB.realm, caller, { kind: TokenKind.ACCOUNT })).verdict).toBe('WRONG_KIND');
  });

  it('NOT_ISSUED_HERE: a good token that another generator made, only where that is asked', async () => {
    const token = ecbToken(ECB.key, `user@kandy.example;${START_MS}`);
    expect((await validate(ECB.realm, token)).verdict).toBe('VALID');
    expect((await validate(ECB.realm, token, { requireIssuedHere: true })).verdict).toBe('NOT_ISSUED_HERE');
  });

  it('knows its own tokens, and the kind each was issued as', async () => {
    const { accountToken, fromToken, toToken } = await issue('cbc');
    const asked = { requireIssuedHere: true };
    expect((await validate(CBC.realm, accountToken, { ...asked, kind: TokenKind.ACCOUNT })).verdict).toBe(
      'VALID',
    );
    expect((await validate(CBC.realm, fromToken, { ...asked, kind: TokenKind.FROM })).verdict).toBe('VALID');
    expect((await validate(CBC.realm, toToken, { ...asked, kind: TokenKind.TO })).verdict).toBe('VALID');
    expect((await validate(CBC.realm, fromToken, { ...asked, kind: TokenKind.TO })).verdict).toBe(
      'WRONG_KIND',
    );
    expect((await validate(CBC.realm, fromToken, { kind: TokenKind.TO })).verdict).toBe('VALID');
  });

  it.each([
    ['realm', CBC.realm],
    ['destination', 'cbc'],
    ['client', 'local'],
    ['subject', 'visitor-17'],
  ] as const)('FROZEN: a token whose %s is frozen, until that is lifted', async (scope, value) => {
    const { toToken } = await issue('cbc', { subject: 'visitor-17' });
    await server.admin.freeze({ scope: { scope: { case: scope, value } }, reason: 'test' });
    expect((await validate(CBC.realm, toToken)).verdict).toBe('FROZEN');
    await server.admin.unfreeze({ scope: { scope: { case: scope, value } } });
    expect((await validate(CBC.realm, toToken)).verdict).toBe('VALID');
  });

  it.each([
    ['realm', CBC.realm],
    ['destination', 'cbc'],
    ['client', 'local'],
    ['subject', 'visitor-17'],
  ] as const)('FROZEN: a token whose %s is frozen also when it has expired', async (scope, value) => {
    const timeLimited = await issue('cbc', { subject: 'visitor-17' });
    await server.admin.freeze({ scope: { scope: { case: scope, value } }, reason: 'test' });
    server.clock.nowMs += 600_000;
    const verdicts = async (requireIssuedHere: boolean) => {
      const { verdict } = await server.credentials.validateCredentials({ timeLimited, requireIssuedHere });
      const alone = await validate(CBC.realm, timeLimited.accountToken, { requireIssuedHere });
      return [enumToJson(VerdictSchema, verdict), alone.verdict];
    };
    for (const requireIssuedHere of [false, true])
      expect(await verdicts(requireIssuedHere)).toEqual(['FROZEN', 'FROZEN']);
    await server.admin.unfreeze({ scope: { scope: { case: scope, value } } });
    expect(await verdicts(true)).toEqual(['EXPIRED', 'EXPIRED']);
  });
});

describe('ValidateToken of a call that goes on', () => {
  const GOES_ON = { ignoreExpiry: true };
  const EXPIRED_MS = START_MS + 600_000;

  it('VALID: an expired token, whose times it tells, and nothing else that it would refuse', async () => {
    const of = (timestamp: number, key: string = CBC.key) =>
      cbcToken(key, `user@kandy.example;x-ts=${timestamp}`);
    const answer = await validate(CBC.realm, of(START_MS - 600_000), GOES_ON);
    expect(answer.verdict).toBe('VALID');
    expect(answer.expireTime && timestampMs(answer.expireTime)).toBe(START_MS);
    for (const [token, verdict] of [
      [of(START_MS + 30_001), 'NOT_YET_VALID'],
      [of(START_MS - 600_000, 'another-key-of-exactly-32-bytes!'), 'UNDECIPHERABLE'],
      [of(1_234_567_890), 'WRONG_TIME_UNIT'],
      ['Z', 'MALFORMED'],
    ] as const)
      expect((await validate(CBC.realm, token, GOES_ON)).verdict).toBe(verdict);
    expect(
      (await validate(CBC.realm, of(START_MS - 600_000), { ...GOES_ON, kind: TokenKind.TO })).verdict,
    ).toBe('WRONG_KIND');
  });

  it.each([
    ['realm', ECB.realm],
    ['destination', 'ecb'],
    ['client', 'local'],
    ['subject', 'visitor-19'],
  ] as const)('FROZEN: an expired token whose %s is frozen, until that is lifted', async (scope, value) => {
    const { accountToken, fromToken } = await issue('ecb', { subject: 'visitor-19' });
    server.clock.nowMs = EXPIRED_MS;
    const verdicts = async (more: object) =>
      Promise.all(
        [accountToken, accountToken.toLowerCase(), fromToken].map(
          async (token) => (await validate(ECB.realm, token, more)).verdict,
        ),
      );
    await server.admin.freeze({ scope: { scope: { case: scope, value } }, reason: 'test' });
    for (const requireIssuedHere of [false, true])
      expect(new Set(await verdicts({ ...GOES_ON, requireIssuedHere }))).toEqual(new Set(['FROZEN']));
    await server.admin.unfreeze({ scope: { scope: { case: scope, value } } });
    expect(new Set(await verdicts({ ...GOES_ON, requireIssuedHere: true }))).toEqual(new Set(['VALID']));
  });

  it('knows its own tokens, and the kind each was issued as, also when they have expired', async () => {
    const { fromToken } = await issue('ecb');
    const asked = { ...GOES_ON, requireIssuedHere: true };
    server.clock.nowMs = EXPIRED_MS;
    expect((await validate(ECB.realm, fromToken, { ...asked, kind: TokenKind.TO })).verdict).toBe(
      'WRONG_KIND',
    );
    const foreign = ecbToken(ECB.key, `user@kandy.example;${START_MS}`);
    expect((await validate(ECB.realm, foreign, asked)).verdict).toBe('NOT_ISSUED_HERE');
    expect((await validate(ECB.realm, foreign, GOES_ON)).verdict).toBe('VALID');
  });

  it('VALID: a token whose record was removed from the ledger, as far as it can tell', async () => {
    const beginMs = START_MS + 86_400_000;
    const foreignAt = (timestamp: number) => ecbToken(ECB.key, `sip:user@kandy.example;${timestamp}`);
    const verdict = async (token: string, more = GOES_ON) => {
      const asked = { requireIssuedHere: true, kind: TokenKind.TO };
      return (await validate(ECB.realm, token, { ...asked, ...more })).verdict;
    };
    server.clock.nowMs = beginMs;
    const { fromToken } = await issue('ecb');
    server.clock.nowMs += 700_000;
    const later = await issue('ecb');
    expect(await verdict(fromToken)).toBe('WRONG_KIND');
    await server.ledger.removeEntries({ beforeTime: timestampFromMs(beginMs + 1) });
    server.clock.nowMs += 600_000;
    expect(await verdict(fromToken)).toBe('VALID');
    expect(await verdict(fromToken, { ignoreExpiry: false })).toBe('EXPIRED');
    expect(await verdict(later.fromToken)).toBe('WRONG_KIND');
    expect(await verdict(foreignAt(beginMs + 700_001))).toBe('NOT_ISSUED_HERE');
    const scope = { scope: { case: 'realm', value: ECB.realm } } as const;
    await server.admin.freeze({ scope, reason: 'test' });
    expect(await verdict(fromToken)).toBe('FROZEN');
    await server.admin.unfreeze({ scope });
  });
});

describe('FROZEN: a token stays what it is', () => {
  it.each([
    ['realm', ECB.realm],
    ['destination', 'ecb'],
    ['client', 'local'],
    ['subject', 'visitor-18'],
  ] as const)('%s: in any case of its hexadecimal, as any kind, alone and in a set', async (scope, value) => {
    const timeLimited = await issue('ecb', { subject: 'visitor-18' });
    const { accountToken, fromToken, toToken } = timeLimited;
    const inAnotherCase = {
      ...timeLimited,
      accountToken: accountToken.toLowerCase(),
      fromToken: fromToken.slice(0, 9).toLowerCase() + fromToken.slice(9),
      toToken: toToken.toLowerCase(),
    };
    await server.admin.freeze({ scope: { scope: { case: scope, value } }, reason: 'test' });
    const addresses = [fromToken, toToken, inAnotherCase.fromToken, inAnotherCase.toToken];
    for (const requireIssuedHere of [false, true]) {
      for (const token of addresses)
        for (const kind of [TokenKind.TOKEN_KIND_UNSPECIFIED, TokenKind.FROM, TokenKind.TO])
          expect((await validate(ECB.realm, token, { kind, requireIssuedHere })).verdict).toBe('FROZEN');
      expect((await validate(ECB.realm, inAnotherCase.accountToken, { requireIssuedHere })).verdict).toBe(
        'FROZEN',
      );
      for (const set of [
        timeLimited,
        inAnotherCase,
        { ...timeLimited, fromToken: toToken, toToken: fromToken },
      ]) {
        const answer = await server.credentials.validateCredentials({ timeLimited: set, requireIssuedHere });
        expect(
          [answer, answer.account, answer.from, answer.to].map(
            (part) => part && enumToJson(VerdictSchema, part.verdict),
          ),
        ).toEqual(['FROZEN', 'FROZEN', 'FROZEN', 'FROZEN']);
      }
    }
    await server.admin.unfreeze({ scope: { scope: { case: scope, value } } });
    const set = { timeLimited: inAnotherCase, requireIssuedHere: true };
    const { verdict } = await server.credentials.validateCredentials(set);
    expect(enumToJson(VerdictSchema, verdict)).toBe('VALID');
  });
});

describe('ValidateCredentials', () => {
  it('VALID: the three tokens of one call, each with what is in it', async () => {
    const timeLimited = await issue('ecb', { caller: 'shop@kandy.example' });
    const answer = await server.credentials.validateCredentials({
      timeLimited,
      expectedCallee: 'support@kandy.example',
      expectedCaller: 'shop@kandy.example',
      requireIssuedHere: true,
    });
    expect(enumToJson(VerdictSchema, answer.verdict)).toBe('VALID');
    expect(answer.account?.user).toBe('account@kandy.example');
    expect(answer.from?.user).toBe('sip:shop@kandy.example');
    expect(answer.to?.user).toBe('sip:support@kandy.example');
  });

  it('MISMATCHED: another callee or caller than expected, or tokens of two calls', async () => {
    const first = await issue('cbc');
    server.clock.nowMs += 5;
    const second = await issue('cbc');
    const verdict = async (request: Parameters<typeof server.credentials.validateCredentials>[0]) =>
      enumToJson(VerdictSchema, (await server.credentials.validateCredentials(request)).verdict);
    expect(await verdict({ timeLimited: first, expectedCallee: 'other@kandy.example' })).toBe('MISMATCHED');
    expect(await verdict({ timeLimited: first, expectedCaller: 'other@kandy.example' })).toBe('MISMATCHED');
    expect(await verdict({ timeLimited: { ...first, toToken: second.toToken } })).toBe('MISMATCHED');
  });

  it('MISMATCHED: tokens of two calls of the same millisecond, where the record is asked', async () => {
    const [first, second] = [await issue('cbc'), await issue('cbc')];
    const timeLimited = { ...first, toToken: second.toToken };
    const without = await server.credentials.validateCredentials({ timeLimited });
    const withRecord = await server.credentials.validateCredentials({ timeLimited, requireIssuedHere: true });
    expect(enumToJson(VerdictSchema, without.verdict)).toBe('VALID');
    expect(enumToJson(VerdictSchema, withRecord.verdict)).toBe('MISMATCHED');
  });

  it("gives the first token's fault for the set", async () => {
    const timeLimited = await issue('cbc');
    const answer = await server.credentials.validateCredentials({
      timeLimited: { ...timeLimited, fromToken: timeLimited.accountToken },
    });
    expect(enumToJson(VerdictSchema, answer.verdict)).toBe('WRONG_KIND');
    expect(enumToJson(VerdictSchema, answer.account?.verdict ?? 0)).toBe('VALID');
    expect(enumToJson(VerdictSchema, answer.from?.verdict ?? 0)).toBe('WRONG_KIND');
  });

  it('EXPIRED: the set, once the lifetime of the realm is over', async () => {
    const timeLimited = await issue('ecb');
    server.clock.nowMs += 600_000;
    const answer = await server.credentials.validateCredentials({ timeLimited });
    expect(enumToJson(VerdictSchema, answer.verdict)).toBe('EXPIRED');
  });
});

it('reaches every verdict of the contract in this file', async () => {
  const { readFile } = await import('node:fs/promises');
  const source = await readFile(import.meta.filename, 'utf8');
  for (const verdict of Object.keys(Verdict).filter(
    (name) => !name.endsWith('UNSPECIFIED') && !/^\d/.test(name),
  )) {
    expect(source).toMatch(new RegExp(`'${verdict}'|Verdict\\.${verdict}\\b`));
  }
});

describe('a batch of validations', () => {
  it('answers each token in its place as it would be alone, whatever becomes of the others', async () => {
    const { toToken: token } = await issue('ecb');
    const foreign = ecbToken(ECB.key, `user@kandy.example;${START_MS}`);
    const requests = [
      { realm: ECB.realm, token, kind: TokenKind.TO, requireIssuedHere: true },
      { realm: ECB.realm, token: foreign, requireIssuedHere: true },
      { realm: 'nowhere.example', token },
      { realm: '', token },
      { realm: ECB.realm, token: 'no token' },
    ];
    const { results } = await server.credentials.batchValidateTokens({ requests });
    expect(results.map(({ result }) => result.case)).toEqual([
      ...['response', 'response', 'status', 'status', 'response'],
    ]);
    for (const [index, { result }] of results.entries()) {
      const alone = server.credentials.validateToken(requests[index]!);
      if (result.case === 'response') expect(result.value).toEqual(await alone);
      else expect(reasonIn(result.value)).toBe((await refusalOf(alone)).reason);
    }
    expect(results.map(({ result }) => (result.case === 'status' ? reasonIn(result.value) : ''))).toEqual([
      ...['', '', 'REALM_UNKNOWN', 'REQUEST_INVALID', ''],
    ]);
  });

  it('answers the tokens of each call in its place as they would be alone', async () => {
    const [ecb, cbc] = [await issue('ecb'), await issue('cbc')];
    const requests = [
      { timeLimited: ecb, requireIssuedHere: true },
      { timeLimited: { ...ecb, toToken: cbc.toToken } },
      {},
      { timeLimited: cbc, expectedCallee: 'else@kandy.example' },
    ];
    const { results } = await server.credentials.batchValidateCredentials({ requests });
    expect(results.map(({ result }) => result.case)).toEqual(['response', 'response', 'status', 'response']);
    for (const [index, { result }] of results.entries()) {
      const alone = server.credentials.validateCredentials(requests[index]!);
      if (result.case === 'response') expect(result.value).toEqual(await alone);
      else expect(reasonIn(result.value)).toBe((await refusalOf(alone)).reason);
    }
    const verdicts = results.flatMap(({ result }) =>
      result.case === 'response' ? [enumToJson(VerdictSchema, result.value.verdict)] : [],
    );
    expect(verdicts).toEqual(['VALID', 'MALFORMED', 'MISMATCHED']);
  });

  it.each(['batchValidateTokens', 'batchValidateCredentials'] as const)(
    '%s takes 1 to 256 requests',
    async (method) => {
      const batch = (count: number) =>
        server.credentials[method]({ requests: Array.from({ length: count }, () => ({})) });
      expect((await batch(256)).results).toHaveLength(256);
      for (const count of [0, 257]) {
        expect(await refusalOf(batch(count))).toMatchObject({
          ...{ reason: 'REQUEST_INVALID', fields: ['requests'] },
        });
      }
    },
  );
});
