import type { CredentialClient } from '@callpass/client';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { TokenKind, Verdict, type ValidateTokenResponse } from '@callpass/contract';
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

/** Answer of the service on the tokens of a request. */
export interface Verification {
  readonly verdict: Verdict;
  /** End of the account token, in ms since the epoch; 0 where the verdict is another than VALID. */
  readonly expireTimeMs: number;
}

/**
 * Asks the service about all tokens that a request presents: issued there, together, and not frozen. A verdict by another state
 * than the newest is none, since a freeze may be missing in it.
 *
 * @throws {EdgeProblem} `SERVICE_UNAVAILABLE` when there is no verdict.
 */
export async function verifyTokens(parts: VerifyParts, request: GatewayRequest): Promise<Verification> {
  const { verdict, stale, account } = await ask(parts, request).catch((cause: unknown) => {
    throw unavailable(cause);
  });
  if (stale) throw unavailable();
  const isPast = verdict === Verdict.EXPIRED && !OPENS[request.step];
  const { expireTime } = account ?? {};
  return {
    verdict: isPast ? Verdict.VALID : verdict,
    expireTimeMs: expireTime === undefined ? 0 : timestampMs(expireTime),
  };
}

/** Part of the answers that decides, whichever of them it is. */
interface Answer {
  readonly verdict: Verdict;
  readonly stale: boolean;
  readonly account?: Pick<ValidateTokenResponse, 'expireTime'> | undefined;
}

async function ask(
  { client, timeoutMs }: VerifyParts,
  { realm, accountToken, callStart }: GatewayRequest,
): Promise<Answer> {
  if (callStart === undefined) {
    const account = await client.validateToken(
      { realm, token: accountToken, kind: TokenKind.ACCOUNT, requireIssuedHere: true },
      { timeoutMs },
    );
    return { ...account, account };
  }
  const { fromToken, toToken } = callStart;
  return client.validateCredentials(
    { timeLimited: { realm, accountToken, fromToken, toToken }, requireIssuedHere: true },
    { timeoutMs },
  );
}
