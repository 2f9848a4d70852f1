import type { CredentialClient } from '@callpass/client';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { enumNames, TokenKind, Verdict, type ValidateTokenResponse } from '@callpass/contract';
import type { GatewayRequest } from '@callpass/token-core';
import type { GatewayVerification } from '@callpass/token-core/gateway';

/** Parts that verifying needs. */
export interface VerifyParts {
  readonly client: Pick<CredentialClient, 'validateToken' | 'validateCredentials'>;
  /** Longest time to wait for the service, in ms. */
  readonly timeoutMs: number;
}

const verdictName = enumNames(Verdict);

/** Asks the service about all tokens that a request presents, by the rules of `GatewayVerifier`. Rejects as the client does. */
export async function verifyTokens(
  parts: VerifyParts,
  request: GatewayRequest,
  ignoreExpiry: boolean,
): Promise<GatewayVerification> {
  const { verdict, stale, account } = await ask(parts, request, ignoreExpiry);
  const { expireTime } = account ?? {};
  return {
    verdict: verdictName(verdict),
    stale,
    expireTimeMs: expireTime && timestampMs(expireTime),
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
  ignoreExpiry: boolean,
): Promise<Answer> {
  if (callStart === undefined) {
    const account = await client.validateToken(
      { realm, token: accountToken, kind: TokenKind.ACCOUNT, requireIssuedHere: true, ignoreExpiry },
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
