import { CallpassError, type CredentialClient } from '@callpass/client';
import { TokenKind, Verdict } from '@callpass/contract';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { REFUSALS } from '../protocol/refusal.ts';
import { verifyByService } from './verify-by-service.ts';

const TOKENS = { realm: 'support.example', accountToken: 'a', fromToken: 'f', toToken: 't' };

/** A service that answers every question so, and keeps what it was asked. */
function answering(answer: () => unknown) {
  const asked: unknown[] = [];
  const reply = async (request: unknown) => {
    asked.push(request);
    return answer();
  };
  const client = { validateToken: reply, validateCredentials: reply } as unknown as CredentialClient;
  return { verifier: verifyByService(client), asked };
}

async function codeOf(attempt: Promise<unknown>): Promise<number | undefined> {
  return attempt.then(
    () => undefined,
    ({ refusal }: { refusal: keyof typeof REFUSALS }) => REFUSALS[refusal].code,
  );
}

describe('verifyByService', () => {
  it('asks about the account token alone, by its kind, and about all three together', async () => {
    const user = (text: string) => ({ verdict: Verdict.VALID, user: text });
    const { verifier, asked } = answering(() => ({
      verdict: Verdict.VALID,
      from: user('sip:anonymous@kandy.example'),
      to: user('sip:support@kandy.example'),
    }));
    await verifier.verifyAccount('support.example', 'a');
    expect(await verifier.verifyCall(TOKENS)).toEqual({
      caller: 'anonymous@kandy.example',
      callee: 'support@kandy.example',
    });
    expect(asked).toEqual([
      { realm: 'support.example', token: 'a', kind: TokenKind.ACCOUNT },
      { timeLimited: TOKENS },
    ]);
  });

  it.each([
    ['EXPIRED', 65],
    ['WRONG_TIME_UNIT', 65],
    ['NOT_YET_VALID', 46],
    ['MALFORMED', 46],
    ['UNDECIPHERABLE', 46],
    ['WRONG_KIND', 46],
    ['NOT_ISSUED_HERE', 46],
    ['MISMATCHED', 46],
    ['FROZEN', 35],
    ['VERDICT_UNSPECIFIED', 26],
  ] as const)('the verdict %s is a refusal with %i', async (verdict, code) => {
    const { verifier } = answering(() => ({ verdict: Verdict[verdict] }));
    expect(await codeOf(verifier.verifyAccount('support.example', 'a'))).toBe(code);
    expect(await codeOf(verifier.verifyCall(TOKENS))).toBe(code);
  });

  const refusing = (code: Exclude<status, status.OK>, details: object) =>
    answering(() => {
      throw new CallpassError('refused', { code, ...details });
    });

  it.each([
    [
      'a realm that this gateway may not ask about',
      status.PERMISSION_DENIED,
      { reason: 'CLIENT_NOT_GRANTED' },
      64,
    ],
    ['a realm that is not there', status.NOT_FOUND, { reason: 'REALM_UNKNOWN' }, 64],
    [
      'a realm that no realm can be called',
      status.INVALID_ARGUMENT,
      { reason: 'REQUEST_INVALID', violations: [{ field: 'time_limited.realm', description: '' }] },
      64,
    ],
    [
      'a token that is too long',
      status.INVALID_ARGUMENT,
      { reason: 'REQUEST_INVALID', violations: [{ field: 'token', description: '' }] },
      46,
    ],
    ['a service that is away', status.UNAVAILABLE, {}, 26],
    ['a service that does not know this gateway', status.UNAUTHENTICATED, { reason: 'CLIENT_UNKNOWN' }, 26],
  ] as const)('%s is a refusal, and never a pass', async (_name, code, details, expected) => {
    const { verifier } = refusing(code, details);
    expect(await codeOf(verifier.verifyAccount('support.example', 'a'))).toBe(expected);
    expect(await codeOf(verifier.verifyCall(TOKENS))).toBe(expected);
  });
});
