import type { CredentialClient } from '@callpass/client';
import { TokenKind, Verdict, type ValidateCredentialsResponse } from '@callpass/contract';
import type { GatewayRequest, GatewayStep } from '@callpass/token-core';
import { unavailable } from './refusal.ts';

/** Steps that open something at the gateway. The others continue it, so that the expiry of the token does not end a call. */
const OPENS: Readonly<Record<GatewayStep, boolean>> = {
  SUBSCRIBE: true,
  START_CALL: true,
  RENEW_SUBSCRIPTION: false,
  END_SUBSCRIPTION: false,
  CONTINUE_CALL: false,
  END_CALL: false,
};

/** Parts that verifying needs. */
export interface VerifyParts {
  readonly client: Pick<CredentialClient, 'validateToken' | 'validateCredentials'>;
  /** Longest time to wait for the service, in ms. */
  readonly timeoutMs: number;
}

/**
 * Asks the service about all tokens that a request presents: issued there, together, and not frozen. A verdict by another state
 * than the newest is none, since a freeze may be missing in it.
 *
 * @throws {EdgeProblem} `SERVICE_UNAVAILABLE` when there is no verdict.
 */
export async function verifyTokens(parts: VerifyParts, request: GatewayRequest): Promise<Verdict> {
  const { verdict, stale } = await ask(parts, request).catch((cause: unknown) => {
    throw unavailable(cause);
  });
  if (stale) throw unavailable();
  return verdict === Verdict.EXPIRED && !OPENS[request.step] ? Verdict.VALID : verdict;
}

function ask(
  { client, timeoutMs }: VerifyParts,
  { realm, accountToken, callStart }: GatewayRequest,
): Promise<Pick<ValidateCredentialsResponse, 'verdict' | 'stale'>> {
  if (callStart === undefined) {
    return client.validateToken(
      { realm, token: accountToken, kind: TokenKind.ACCOUNT, requireIssuedHere: true },
      { timeoutMs },
    );
  }
  const { fromToken, toToken } = callStart;
  return client.validateCredentials(
    { timeLimited: { realm, accountToken, fromToken, toToken }, requireIssuedHere: true },
    { timeoutMs },
  );
}
