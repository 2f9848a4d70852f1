import { CallpassError, type CredentialClient } from '@callpass/client';
import { TokenKind, type Verdict } from '@callpass/contract';
import { Refusal } from '../protocol/refusal.ts';
import { REASON_REFUSALS, VERDICT_REFUSALS } from './verdict-table.ts';
import type { Verifier } from './verifier.ts';

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
