import { CallpassError, type CredentialClient } from '@callpass/client';
import { type Reason, TokenKind, Verdict } from '@callpass/contract';
import { Refusal, type RefusalName } from '../protocol/refusal.ts';
import type { Verifier } from './verifier.ts';

/**
 * Refusals of the gateway for the verdicts of the service; undefined if the call is allowed. The vendor's gateway has fewer
 * verdicts: it reads a timestamp in seconds as one in milliseconds, of 1970, which is expired.
 */
const VERDICT_REFUSALS: Readonly<Record<Verdict, RefusalName | undefined>> = {
  [Verdict.VERDICT_UNSPECIFIED]: 'INTERNAL',
  [Verdict.VALID]: undefined,
  [Verdict.EXPIRED]: 'TOKEN_EXPIRED',
  [Verdict.NOT_YET_VALID]: 'INVALID_TOKEN',
  [Verdict.MALFORMED]: 'INVALID_TOKEN',
  [Verdict.UNDECIPHERABLE]: 'INVALID_TOKEN',
  [Verdict.WRONG_KIND]: 'INVALID_TOKEN',
  [Verdict.WRONG_TIME_UNIT]: 'TOKEN_EXPIRED',
  [Verdict.NOT_ISSUED_HERE]: 'INVALID_TOKEN',
  [Verdict.FROZEN]: 'NOT_ENABLED',
  [Verdict.MISMATCHED]: 'INVALID_TOKEN',
};

/** Responses of the gateway when the service refuses to validate. Any other reason is an internal error. */
const REASON_REFUSALS: Readonly<Partial<Record<Reason, RefusalName>>> = {
  // A realm that does not exist looks like one without a grant, so that nobody can probe.
  CLIENT_NOT_GRANTED: 'INVALID_REALM',
  REALM_UNKNOWN: 'INVALID_REALM',
};

/** Verifies with the service's own API, as a client with the role VALIDATOR: the gateway holds no keys. */
export function verifyByService(client: CredentialClient): Verifier {
  return {
    async verifyAccount(realm, token) {
      const { verdict } = await asked(client.validateToken({ realm, token, kind: TokenKind.ACCOUNT }));
      assertGood(verdict);
    },
    async verifyCall(tokens) {
      const { verdict, from, to } = await asked(client.validateCredentials({ timeLimited: tokens }));
      assertGood(verdict);
      return { caller: withoutScheme(from?.user ?? ''), callee: withoutScheme(to?.user ?? '') };
    },
  };
}

/** `user@domain` of a user as a from or to token, or an unrestricted call, has it. */
export function withoutScheme(user: string): string {
  return user.replace(/^sip:/, '');
}

function assertGood(verdict: Verdict): void {
  const refusal = VERDICT_REFUSALS[verdict];
  if (refusal !== undefined) throw new Refusal(refusal);
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((cause: unknown) => {
    throw new Refusal(refusalOf(cause), { cause });
  });
}

function refusalOf(error: unknown) {
  if (!(error instanceof CallpassError)) return 'INTERNAL';
  if (error.reason === 'REQUEST_INVALID') {
    return error.violations.some(({ field }) => field.endsWith('realm')) ? 'INVALID_REALM' : 'INVALID_TOKEN';
  }
  return (error.reason && REASON_REFUSALS[error.reason]) ?? 'INTERNAL';
}
