import { timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt';
import { makeAnonymousArguments, type AnonymousCredentials } from '@callpass/client';
import type { IssueCredentialsResponse } from '@callpass/contract';
import { EdgeProblem } from '../problems/problem.ts';

/** The answer of `POST /v1/destinations/{id}/credentials`: the three arguments of `makeAnonymous`, and how long they are good. */
export interface CredentialsAnswer {
  readonly issuanceId: string;
  readonly callee: string;
  /** `{}` for an unrestricted call. */
  readonly credentials: AnonymousCredentials;
  readonly callOptions: { readonly from: string };
  /** RFC 3339; left out for an unrestricted call, which does not expire. */
  readonly expiresAt?: string;
  readonly refreshAt?: string;
}

/** Throws a CallpassError on an answer of the service that no call can be placed with. */
export function toCredentialsAnswer(response: IssueCredentialsResponse): CredentialsAnswer {
  const [callee, credentials, callOptions] = makeAnonymousArguments(response);
  const { issuanceId, expireTime, refreshTime } = response;
  return {
    issuanceId,
    callee,
    credentials,
    callOptions,
    ...(expireTime && { expiresAt: rfc3339(expireTime) }),
    ...(refreshTime && { refreshAt: rfc3339(refreshTime) }),
  };
}

/**
 * The tokens, for pages of the vendor's two sample servers, which read nothing else. Without tokens such a page makes an
 * unrestricted call that nobody has asked for, so an unrestricted destination is refused here.
 */
export function toTokens(response: IssueCredentialsResponse): TokensAnswer {
  const [callee, credentials, { from: caller }] = makeAnonymousArguments(response);
  const { accountToken, fromToken, toToken, realm } = credentials;
  if (!accountToken || !fromToken || !toToken || !realm) throw new EdgeProblem('DESTINATION_UNRESTRICTED');
  return { accountToken, fromToken, toToken, realm, caller, callee };
}

/** The three tokens with their realm, and whom they are for. */
export interface TokensAnswer {
  readonly accountToken: string;
  readonly fromToken: string;
  readonly toToken: string;
  readonly realm: string;
  readonly caller: string;
  readonly callee: string;
}

function rfc3339(time: Timestamp): string {
  return new Date(timestampMs(time)).toISOString();
}
